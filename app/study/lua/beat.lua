-- One heartbeat. KEYS: learner's hash, dirty set.
-- ARGV: session, progress id, epoch, chunks of the lesson, ms of a chunk, ms of the last chunk, rate, cap ms,
--   in order only (0/1), watched chunks (packed big-endian u16, ascending), position s, dirty member
-- Returns {outcome, record, ms to wait, refused chunks (packed), store id}
-- outcome: 0 credited, 1 state missing, 2 another session holds the lease, 3 purged since the ticket was made
local h = redis.call('HMGET', KEYS[1], '_', ARGV[2])
if not h[1] or not h[2] then return {1} end
local at, balance, seen, over, session, store, device = struct.unpack(HEAD, h[1])
if session ~= ARGV[1] then return {2, h[2], 0, '', store} end
local epoch = tonumber(ARGV[3])
local r = read(h[2])
if r.epoch < epoch then return {1} end
if r.epoch > epoch then return {3, h[2], 0, '', store} end

local total, usual, last = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local rate, cap, in_order = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9] == '1'
local now
balance, now = filled(clock(), at, balance, rate, cap)

local watched = ARGV[10]
local next_one = 0
if in_order and watched ~= '' then next_one = gap(r.bits, 0) end
local refused, wait, new = {}, 0, 0
for i = 1, #watched, 2 do
  local chunk = struct.unpack('>I2', watched, i)
  if not has(r.bits, chunk) then
    local cost = chunk == total - 1 and last or usual
    if wait > 0 then
      over = over + 1
      refused[#refused + 1] = string.sub(watched, i, i + 1)
    elseif in_order and chunk > next_one then
      refused[#refused + 1] = string.sub(watched, i, i + 1)
    elseif cost > balance then
      wait = math.ceil((cost - balance) / rate)
      over = over + 1
      refused[#refused + 1] = string.sub(watched, i, i + 1)
    else
      balance = balance - cost
      add(r, chunk)
      new = new + 1
      if in_order then next_one = gap(r.bits, next_one) end
    end
  end
end
r.position = tonumber(ARGV[11])
local record = write(r)
redis.call('HSET', KEYS[1], '_', struct.pack(HEAD, now, balance, now, math.min(over, 4294967295), session, store, device),
  ARGV[2], record)
if new > 0 or wait > 0 then redis.call('SADD', KEYS[2], ARGV[12]) end
return {0, record, wait, table.concat(refused), store}
