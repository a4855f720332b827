-- SQL has these bits now. KEYS: learner's hash. ARGV: progress id, epoch, bitmap; and so on in threes.
-- Bits credited since then stay pending. Returns how many records were found.
local found = 0
for a = 1, #ARGV, 3 do
  local record = redis.call('HGET', KEYS[1], ARGV[a])
  if record then
    local r = read(record)
    if r.epoch == tonumber(ARGV[a + 1]) and r.lo then
      local lo, hi
      for i = r.lo, r.hi do
        local left = bit.band(r.pending[i] or 0, bit.bnot(string.byte(ARGV[a + 2], i + 1) or 0))
        r.pending[i] = left
        if left ~= 0 then
          lo = lo or i
          hi = i
        end
      end
      r.lo, r.hi = lo, hi
      redis.call('HSET', KEYS[1], ARGV[a], write(r))
    end
    found = found + 1
  end
end
return found
