/**
 * Offsets as texts, and the next one of a loop: a formatted text costs as much as a short command, so the last two digits are added to
 * the text before them.
 */
export const OFFSETS = `
local DIGITS = { [0] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' }
local hundreds, start = '', -1
-- All of an offset but its last digit, and that digit.
local function tensOf(offset)
  local ones = offset % 10
  local tens = (offset - ones) / 10
  local rest = tens % 10
  if tens - rest ~= start then
    start = tens - rest
    hundreds = whole(start / 10)
  end
  return hundreds .. DIGITS[rest], ones
end
`

/** Lua: the text of `offset`, which follows that of the round before. */
export const NEXT_TEXT = `
if ones > 9 then tens, ones = tensOf(offset) end
text = tens .. DIGITS[ones]
ones = ones + 1`
