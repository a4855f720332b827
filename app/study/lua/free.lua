-- Give the study lease back: nobody holds it. KEYS: learner's hash. Returns 1 if somebody held it.
local head = redis.call('HGET', KEYS[1], '_')
if not head then return 0 end
local at, balance, seen, over, session, store, device = struct.unpack(HEAD, head)
if session == NOBODY and device == NOBODY then return 0 end
redis.call('HSET', KEYS[1], '_', struct.pack(HEAD, at, balance, seen, over, NOBODY, store, NOBODY))
return 1
