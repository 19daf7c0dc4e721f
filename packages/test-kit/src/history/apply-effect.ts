import { isDeepStrictEqual } from 'node:util'
import type { Content, Effect, Json } from './history.ts'

// Independent of the packages under test, to avoid sharing their defects.

/** The result of an effect on an entry; `undefined` if it cannot be applied. */
export function applyEffect(content: Content, effect: Effect): Content | undefined {
  switch (effect.op) {
    case 'set':
      return { value: effect.value }
    case 'remove':
      return { absent: true }
    case 'increment': {
      const before = 'absent' in content ? (effect.initial ?? 0) : content.value
      return typeof before === 'number' ? { value: before + effect.by } : undefined
    }
    case 'patch':
      return { value: mergePatch('absent' in content ? {} : content.value, effect.patch) }
  }
}

/** RFC 7396. */
function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch
  const merged: { [name: string]: Json } = isObject(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name] ?? null, value)
  }
  return merged
}

const isObject = (value: Json): value is { [name: string]: Json } => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether two entries have the same content, regardless of the order of properties. */
export const sameContent = (one: Content, other: Content): boolean =>
  'absent' in one || 'absent' in other ? 'absent' in one === 'absent' in other : isDeepStrictEqual(one.value, other.value)

/** For messages. */
export const contentText = (content: Content | undefined): string => {
  if (content === undefined) return 'unknown'
  const text = 'absent' in content ? 'absent' : JSON.stringify(content.value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
