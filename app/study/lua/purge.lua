-- A purge: the records begin anew under their new epoch, and what was saved up is gone.
-- KEYS: learner's hash. ARGV: progress id, epoch; and so on in pairs. Returns how many records were emptied.
local emptied = 0
for a = 1, #ARGV, 2 do
  local record = redis.call('HGET', KEYS[1], ARGV[a])
  local epoch = tonumber(ARGV[a + 1])
  if record and struct.unpack('>I2', record) < epoch then
    redis.call('HSET', KEYS[1], ARGV[a], struct.pack(RECORD, epoch, 0, 0, 0))
    emptied = emptied + 1
  end
end
local head = redis.call('HGET', KEYS[1], '_')
if head and emptied > 0 then
  local at, balance, seen, over, session, store, device = struct.unpack(HEAD, head)
  redis.call('HSET', KEYS[1], '_', struct.pack(HEAD, math.max(clock(), at), 0, seen, over, session, store, device))
end
return emptied
