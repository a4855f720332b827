-- Layout of a learner's hash h:{shard}:person, shared by all scripts.
-- field '_': bucket time (ms), bucket (ms), last beat (ms), over-claimed chunks, session, store id, device
-- field <progress id>: epoch, credited chunks, position (s), n, bitmap of n bytes, and, while something is not yet in
--   SQL: offset, and from that byte on the bits that are not. Small enough for Redis to keep the hash packed.
local HEAD = '>I8I4I8I4c12c8c12'
local RECORD = '>I2I2I2I2'
local NOBODY = '------------'

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- {epoch, count, position, bits (bytes by index from 0), n, pending (bytes by index), lo, hi}
local function read(record)
  local epoch, count, position, n = struct.unpack(RECORD, record)
  local r = {epoch = epoch, count = count, position = position, n = n, bits = {}, pending = {}, lo = nil, hi = nil}
  local bytes = {string.byte(record, 9, 8 + n)}
  for i = 1, n do r.bits[i - 1] = bytes[i] end
  if #record > 8 + n then
    r.lo = struct.unpack('>I2', record, 9 + n)
    local rest = {string.byte(record, 11 + n, -1)}
    for i = 1, #rest do r.pending[r.lo + i - 1] = rest[i] end
    r.hi = r.lo + #rest - 1
  end
  return r
end

local function text(bytes, from, to)
  return string.char(unpack(bytes, from, to))
end

local function write(r)
  local record = struct.pack(RECORD, r.epoch, r.count, r.position, r.n) .. text(r.bits, 0, r.n - 1)
  if r.lo then record = record .. struct.pack('>I2', r.lo) .. text(r.pending, r.lo, r.hi) end
  return record
end

local function has(bytes, chunk)
  return bit.band(bytes[math.floor(chunk / 8)] or 0, bit.rshift(128, chunk % 8)) ~= 0
end

-- the bits of `mask` in byte i are not yet in SQL; the bytes between stay without a hole
local function mark(r, i, mask)
  if not r.lo then r.lo, r.hi = i, i end
  for j = i, r.lo - 1 do r.pending[j] = 0 end
  for j = r.hi + 1, i do r.pending[j] = 0 end
  r.lo, r.hi = math.min(r.lo, i), math.max(r.hi, i)
  r.pending[i] = bit.bor(r.pending[i] or 0, mask)
end

local function add(r, chunk)
  local i, mask = math.floor(chunk / 8), bit.rshift(128, chunk % 8)
  for j = r.n, i do r.bits[j] = 0 end
  r.n = math.max(r.n, i + 1)
  r.bits[i] = bit.bor(r.bits[i], mask)
  mark(r, i, mask)
  r.count = r.count + 1
end

-- the first chunk at or after `chunk` that is not there
local function gap(bytes, chunk)
  while true do
    if chunk % 8 == 0 and bytes[chunk / 8] == 255 then chunk = chunk + 8
    elseif has(bytes, chunk) then chunk = chunk + 1
    else return chunk end
  end
end

-- playable milliseconds at `now`: fills with this server's time; a clock that steps back adds nothing
local function filled(now, at, balance, rate, cap)
  if now < at then now = at end
  return math.min(cap, balance + math.floor((now - at) * rate)), now
end
