-- SQL has these bits now. KEYS: hashes of learners of one shard. ARGV: number of the key, progress id, epoch, bitmap;
-- and so on in fours. Bits credited since then stay pending. Returns how many records were found.
local found = 0
for a = 1, #ARGV, 4 do
  local key = KEYS[tonumber(ARGV[a])]
  local record = redis.call('HGET', key, ARGV[a + 1])
  if record then
    local r = read(record)
    if r.epoch == tonumber(ARGV[a + 2]) and r.lo then
      local lo, hi
      for i = r.lo, r.hi do
        local left = bit.band(r.pending[i] or 0, bit.bnot(string.byte(ARGV[a + 3], i + 1) or 0))
        r.pending[i] = left
        if left ~= 0 then
          lo = lo or i
          hi = i
        end
      end
      r.lo, r.hi = lo, hi
      redis.call('HSET', key, ARGV[a + 1], write(r))
    end
    found = found + 1
  end
end
return found
