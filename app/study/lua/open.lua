-- Take the study lease and put one lesson's state in place. KEYS: learner's hash, dirty set.
-- ARGV: session ('' = restore the session that SQL names), device, take over (0/1), stale after ms, time to live s,
--   progress id, dirty member; from SQL: epoch, position, bitmap, bucket ms, bucket time ms, over-claimed, session,
--   device; new store id
-- Returns {1, record, store id}, or {0, ms since the holder's last beat} while another device studies.
local h = redis.call('HMGET', KEYS[1], '_', ARGV[6])
local now = clock()
local at, balance, seen, over, session, store, device
if h[1] then
  at, balance, seen, over, session, store, device = struct.unpack(HEAD, h[1])
else
  -- lost or new: the bucket goes on from what SQL knows, never a fresh allowance
  at, balance, seen, over = tonumber(ARGV[12]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
  if at == 0 then at = now end
  session, device, store = ARGV[14], ARGV[15], ARGV[16]
end
if ARGV[1] ~= '' then
  if session ~= NOBODY and device ~= ARGV[2] and now - seen < tonumber(ARGV[4]) and ARGV[3] ~= '1' then
    return {0, math.max(0, now - seen)}
  end
  session, device, seen = ARGV[1], ARGV[2], math.max(now, seen)
end

local r
local epoch = tonumber(ARGV[8])
if h[2] then r = read(h[2]) end
if r and r.epoch < epoch then
  -- purged in SQL while Redis was away: what was saved up goes too
  balance, at = 0, math.max(now, at)
  r = nil
end
if not r then
  r = {epoch = epoch, count = 0, position = tonumber(ARGV[9]), bits = {}, n = #ARGV[10], pending = {}}
  for i = 1, r.n do
    local byte = string.byte(ARGV[10], i)
    r.bits[i - 1] = byte
    while byte > 0 do
      r.count = r.count + byte % 2
      byte = math.floor(byte / 2)
    end
  end
elseif r.epoch == epoch then
  -- what Redis holds and SQL does not (a database restored from a backup) is not in SQL: say so, and flush it again
  for i = 0, r.n - 1 do
    local ours, theirs = r.bits[i], string.byte(ARGV[10], i + 1) or 0
    local lost = bit.band(ours, bit.bnot(theirs))
    if lost ~= 0 then mark(r, i, lost) end
  end
  if r.lo then redis.call('SADD', KEYS[2], ARGV[7]) end
end
local record = write(r)
redis.call('HSET', KEYS[1], '_', struct.pack(HEAD, at, balance, seen, over, session, store, device), ARGV[6], record)
redis.call('EXPIRE', KEYS[1], ARGV[5])
return {1, record, store}
