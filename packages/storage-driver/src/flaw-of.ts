import type { JsonValue } from '@tutti/protocol'
import type { WriteOptions } from './contract.ts'

/** What a check throws at a value, wrapped so that whatever it throws is told from nothing. */
export function flawOf(check: WriteOptions['check'], value: JsonValue): { readonly error: unknown } | undefined {
  try {
    check?.(value)
    return undefined
  } catch (error) {
    return { error }
  }
}
