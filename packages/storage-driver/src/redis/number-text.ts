/**
 * Lua that parses and formats numbers exactly like JavaScript, so that a sum has the same text in both, and text that clients
 * see as a string is not a number here either (S20). Needs `whole` of the script's head.
 */
export const NUMBER_TEXT = `
-- The fewest digits that read back as the same number, in JavaScript's notation. Integers up to 2^53 only.
local function textOfNumber(number)
  if number == 0 then return '0' end
  if number == math.floor(number) then return whole(number) end
  local found
  -- 15 digits are exact wherever fewer are, but for the smallest numbers.
  for precision = math.abs(number) < 2.3e-308 and 0 or 14, 16 do
    found = string.format('%.' .. precision .. 'e', number)
    if tonumber(found) == number then break end
    -- At a power of two the neighbours above are further apart than those below.
    local head, last, rest = string.match(found, '^(.*)(%d)(e.*)$')
    local above = head and last ~= '9' and head .. (last + 1) .. rest
    if above and tonumber(above) == number then
      found = above
      break
    end
  end
  local sign, first, others, exponent = string.match(found, '^(%-?)(%d)%.?(%d*)e([+-]%d+)$')
  local digits = string.gsub(first .. others, '0+$', '')
  local point = exponent + 1
  if point > 0 then return sign .. string.sub(digits, 1, point) .. '.' .. string.sub(digits, point + 1) end
  if point > -6 then return sign .. '0.' .. string.rep('0', -point) .. digits end
  local rest = string.sub(digits, 2)
  return sign .. string.sub(digits, 1, 1) .. (rest == '' and '' or '.' .. rest) .. 'e' .. whole(point - 1)
end

-- The number that a text is, or nil: tonumber takes spaces, hexadecimal, '01' and '1.0' as well.
local function numberOf(source)
  local number = string.match(source, '^%-?%d') and tonumber(source)
  return number and textOfNumber(number) == source and number or nil
end
`
