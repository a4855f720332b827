-- For the flusher: lease, bucket and records, many at once, as they are at one moment.
-- KEYS: hashes of learners of one shard. ARGV: numbers of the keys, progress ids; as many of the one as of the other
-- Returns {'_', record, '_', record …}
local out, n, ids = {}, 0, string.gmatch(ARGV[2], '%S+')
for number in string.gmatch(ARGV[1], '%S+') do
  local found = redis.call('HMGET', KEYS[tonumber(number)], '_', ids())
  out[n + 1], out[n + 2] = found[1], found[2]
  n = n + 2
end
return out
