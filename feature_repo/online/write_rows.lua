-- Writes a batch of rows of one view in one atomic step: last writer wins by event time, then by
-- created time, and the geo index follows.
-- KEYS[1] geo index; KEYS[2..n+1] entity keys
-- ARGV[1] hash field of the rows; ARGV[2] where things lie, JSON (script_layout.py), and the
-- fingerprints that JSON cannot carry: ARGV[3] of the motion view, ARGV[4] of the availability view;
-- ARGV[5..n+4] rows
-- Returns how many rows were written; the others were not newer than what is there.
local call, sub, unpack_at = redis.call, string.sub, struct.unpack
local field, layout = ARGV[1], cjson.decode(ARGV[2])
local header, motion, availability = layout.header, layout.motion, layout.availability
motion.fingerprint, availability.fingerprint = ARGV[3], ARGV[4]

local function bytes_at(text, span)
  return sub(text, span[1], span[2])
end

local function time_at(row, position)
  return (unpack_at('<i8', row, position))
end

local function is_newer(row, than)
  -- What is too short to have times is no row of ours, and must not stay for ever.
  if not than or #than < header.bytes then return true end
  local event, old_event = time_at(row, header.event_us), time_at(than, header.event_us)
  if event ~= old_event then return event > old_event end
  return time_at(row, header.created_us) >= time_at(than, header.created_us)
end

-- As for every reader, a row of another schema is missing, never misread.
local function is_of(row, view)
  return row and #row == view.bytes and bytes_at(row, header.fingerprint) == view.fingerprint
end

local function is_null(row, column)
  return bit.band(string.byte(row, column.null_byte), column.null_mask) ~= 0
end

-- Nothing where the position is unknown, or so near a pole that the index would refuse it and,
-- with it, the whole batch.
local function position_of(row)
  if not is_of(row, motion) or is_null(row, motion.lat) or is_null(row, motion.lon) then return end
  local lat = unpack_at('<d', row, motion.lat.at)
  local lon = unpack_at('<d', row, motion.lon.at)
  if math.abs(lat) <= layout.max_lat and math.abs(lon) <= layout.max_lon then return lon, lat end
end

local function is_offline(row)
  return is_of(row, availability) and bytes_at(row, availability.status) == availability.offline
end

-- Judged from both of the provider's newest rows, never by what the new row changed: so the index
-- does not depend on the order in which the rows came.
local function place(key, lon, lat, availability_row)
  local provider_id = bytes_at(key, layout.provider_id)
  if lon and not is_offline(availability_row) then
    call('GEOADD', KEYS[1], lon, lat, provider_id)
  else
    call('ZREM', KEYS[1], provider_id)
  end
end

-- A row that says of the place what the row before it said leaves the index right if it was right,
-- and judging again costs as much as two writes. A row before it that cannot be read (none, or of
-- another schema) said nothing.
local function moves(key, row, before, availability_row)
  local lon, lat = position_of(row)
  local lon_before, lat_before = position_of(before)
  if not lon or lon ~= lon_before or lat ~= lat_before then
    place(key, lon, lat, availability_row)
  end
end

local function comes_or_goes(key, row, before)
  local both_told = is_of(row, availability) and is_of(before, availability)
  if not both_told or is_offline(row) ~= is_offline(before) then
    local lon, lat = position_of(call('HGET', key, motion.field))
    place(key, lon, lat, row)
  end
end

-- A truck moves nearly always, and its status is read with its row; a status hardly ever changes
-- who is at work, and the motion row is read only then.
local fields = {field}
if field == motion.field then fields[2] = availability.field end

local written = 0
for i = 1, #KEYS - 1 do
  local key, row = KEYS[1 + i], ARGV[4 + i]
  local stored = call('HMGET', key, unpack(fields))
  local before = stored[1]
  if is_newer(row, before) then
    call('HSET', key, field, row)
    written = written + 1
    if field == motion.field then moves(key, row, before, stored[2]) end
    if field == availability.field then comes_or_goes(key, row, before) end
  end
end
return written
