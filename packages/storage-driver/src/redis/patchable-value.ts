import { applyPatch, type JsonObject, type JsonValue } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import { parseJson } from '../stored-text.ts'

/** A value that is patched. It is never changed: a patch makes another one. */
export interface PatchableValue {
  /** Characters of the value as JSON. */
  readonly size: number
  toJson(): string
  patched(patch: JsonObject): PatchableValue
}

/** Makes it of a value. `json`: its text, where that is known. */
export function createPatchableValue(value: JsonValue, json?: string): PatchableValue {
  const toJson = (): string => (json ??= JSON.stringify(value))
  return {
    get size() {
      return toJson().length
    },
    toJson,
    patched: (patch) => patchableObject(value).patched(patch),
  }
}

/** What a patch makes of a value; `undefined` is absent. */
export const patchedValue = (value: PatchableValue | undefined, patch: JsonObject): PatchableValue =>
  value === undefined ? patchableObject(undefined).patched(patch) : value.patched(patch)

/** Fields in one patch at most of which each is replaced in the text. With more of them the object is made anew. */
const FEW = 8

/** An object as JSON, and where its fields are: `{`, then each field with its length, separated by commas, then `}`. */
interface ObjectText {
  readonly json: string
  /** Of each name, in order. Objects with the same names share it. */
  readonly places: ReadonlyMap<string, number>
  /** Of each place, in characters. */
  readonly lengths: readonly number[]
}

/** As in RFC 7396, a patch takes everything that is no object for an empty one. */
function patchableObject(value: JsonValue | undefined): PatchableValue {
  const fields = isJsonObject(value) ? Object.entries(value) : []
  const texts = fields.map(([name, field]) => textOfField(name, field))
  const places = placesOf(fields.map(([name]) => name))
  return patchableText({ json: `{${texts.join(',')}}`, places, lengths: texts.map((text) => text.length) })
}

/**
 * A patch parses and stringifies its own fields only, and the rest is copied as text: to copy and stringify an object of a
 * thousand fields takes many times longer.
 */
function patchableText(object: ObjectText): PatchableValue {
  const { json } = object
  return {
    size: json.length,
    toJson: () => json,
    patched: (patch) => {
      const changes = Object.entries(patch)
      if (changes.length > FEW) return createPatchableValue(applyPatch(parseJson(json), patch))
      return patchableText(changes.reduce((changed, [name, change]) => withChange(changed, name, change), object))
    },
  }
}

function withChange(object: ObjectText, name: string, change: JsonValue): ObjectText {
  const place = object.places.get(name)
  if (place === undefined) return change === null ? object : withNewField(object, name, applyPatch(undefined, change))
  const { json, places, lengths } = object
  const start = lengths.slice(0, place).reduce((sum, length) => sum + length + 1, 1)
  const end = start + (lengths[place] ?? 0)
  if (change === null) {
    // Without the comma before it, or after the first one.
    const rest = place > 0 ? json.slice(0, start - 1) + json.slice(end) : `{${json.slice(end).replace(/^,/, '')}`
    return { json: rest, places: placesOf([...places.keys()].toSpliced(place, 1)), lengths: lengths.toSpliced(place, 1) }
  }
  const before = isJsonObject(change) ? parseJson(`{${json.slice(start, end)}}`) : undefined
  const text = textOfField(name, applyPatch(isJsonObject(before) ? before[name] : undefined, change))
  return { json: json.slice(0, start) + text + json.slice(end), places, lengths: lengths.with(place, text.length) }
}

function withNewField({ json, places, lengths }: ObjectText, name: string, value: JsonValue): ObjectText {
  const text = textOfField(name, value)
  const separator = lengths.length === 0 ? '' : ','
  return {
    json: `${json.slice(0, -1)}${separator}${text}}`,
    places: new Map(places).set(name, lengths.length),
    lengths: [...lengths, text.length],
  }
}

const placesOf = (names: readonly string[]): ReadonlyMap<string, number> => new Map(names.map((name, place) => [name, place]))

const textOfField = (name: string, value: JsonValue): string => `${JSON.stringify(name)}:${JSON.stringify(value)}`
