-- SQL has the bits of these records now. KEYS: hashes of learners of one shard. ARGV: numbers of the keys, progress
-- ids, then each record as it was taken. Bits credited since then stay pending. Returns how many were found.
local found, a, ids = 0, 2, string.gmatch(ARGV[2], '%S+')
for number in string.gmatch(ARGV[1], '%S+') do
  a = a + 1
  local key, id, written = KEYS[tonumber(number)], ids(), ARGV[a]
  local record = redis.call('HGET', key, id)
  if record == written then -- as it nearly always is: nothing of it is pending any more
    local _, _, _, n = struct.unpack(RECORD, record)
    if #record > 8 + n then redis.call('HSET', key, id, string.sub(record, 1, 8 + n)) end
    found = found + 1
  elseif record then
    local r, w = read(record), read(written)
    if r.epoch == w.epoch and r.lo then
      local lo, hi
      for i = r.lo, r.hi do
        local left = bit.band(r.pending[i] or 0, bit.bnot(w.bits[i] or 0))
        r.pending[i] = left
        if left ~= 0 then
          lo = lo or i
          hi = i
        end
      end
      r.lo, r.hi = lo, hi
      redis.call('HSET', key, id, write(r))
    end
    found = found + 1
  end
end
return found
