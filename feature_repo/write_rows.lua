-- Last writer wins by event time (then by created time), one atomic step for a batch of rows.
-- KEYS[1] geo index; KEYS[2..n+1] entity keys
-- ARGV[1] hash field; ARGV[2] '1' when members and positions follow the rows;
-- ARGV[3..n+2] rows; then for each row: lon, lat, member ('' where the position is unknown).
-- Returns how many rows were written; the others were not newer than what is there.
local field, with_positions = ARGV[1], ARGV[2] == '1'
local count = #KEYS - 1
local written = 0
for i = 1, count do
  local row = ARGV[2 + i]
  local current = redis.call('HGET', KEYS[1 + i], field)
  local newer = true
  if current and #current >= 24 then
    local old_event, old_created = struct.unpack('<i8i8', current, 9)
    local new_event, new_created = struct.unpack('<i8i8', row, 9)
    newer = new_event > old_event or (new_event == old_event and new_created >= old_created)
  end
  if newer then
    redis.call('HSET', KEYS[1 + i], field, row)
    written = written + 1
    if with_positions then
      local at = 2 + count + 3 * (i - 1)
      if ARGV[at + 1] ~= '' then
        redis.call('GEOADD', KEYS[1], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
      end
    end
  end
end
return written
