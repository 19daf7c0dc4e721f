import { applyPatch, isJsonObject, type JsonObject, type JsonValue } from '@tutti/protocol'
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

/** As in RFC 7396, a patch takes everything that is no object for an empty one. */
function patchableObject(value: JsonValue | undefined): PatchableValue {
  const fields = isJsonObject(value) ? Object.entries(value) : []
  return objectOf(
    placesOf(fields.map(([name]) => name)),
    fields.map(([name, field]) => textOfField(name, field)),
  )
}

/**
 * An object as the JSON text of each of its fields. A patch stringifies its own fields only, and the others are copied as text: to
 * copy and stringify an object of a thousand fields takes many times longer.
 *
 * `places`: where the text of a field is, in the order of the texts. Values with the same names share it.
 */
function objectOf(places: ReadonlyMap<string, number>, texts: readonly string[]): PatchableValue {
  const fieldOf = (place: number | undefined): JsonObject => {
    const field = place === undefined ? undefined : parseJson(`{${texts[place]}}`)
    return isJsonObject(field) ? field : {}
  }

  const patched = (patch: JsonObject): PatchableValue => {
    const changed = [...texts]
    const added: string[] = []
    const removed = new Set<number>()
    for (const [name, change] of Object.entries(patch)) {
      const place = places.get(name)
      if (change === null) {
        if (place !== undefined) removed.add(place)
        continue
      }
      const text = textOfField(name, isJsonObject(change) ? applyPatch(fieldOf(place)[name], change) : change)
      if (place !== undefined) changed[place] = text
      else {
        added.push(name)
        changed.push(text)
      }
    }
    if (added.length === 0 && removed.size === 0) return objectOf(places, changed)
    const isLeft = (_: string, place: number): boolean => !removed.has(place)
    return objectOf(placesOf([...places.keys(), ...added].filter(isLeft)), changed.filter(isLeft))
  }

  return {
    get size() {
      return texts.reduce((size, text) => size + text.length + 1, 2)
    },
    toJson: () => `{${texts.join(',')}}`,
    patched,
  }
}

const placesOf = (names: readonly string[]): ReadonlyMap<string, number> => new Map(names.map((name, place) => [name, place]))

const textOfField = (name: string, value: JsonValue): string => `${JSON.stringify(name)}:${JSON.stringify(value)}`
