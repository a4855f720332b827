-- For the flusher: lease, bucket and records, many at once, as they are at one moment.
-- KEYS: hashes of learners of one shard. ARGV: number of the key, progress id; and so on in pairs.
-- Returns {'_', record, '_', record …}
local out = {}
for a = 1, #ARGV, 2 do
  local found = redis.call('HMGET', KEYS[tonumber(ARGV[a])], '_', ARGV[a + 1])
  out[a], out[a + 1] = found[1], found[2]
end
return out
