"""What study uses of others: ffmpeg."""
