"""The stand-ins, spoken to by the providers' own SDKs."""
