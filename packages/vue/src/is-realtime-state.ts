import { isRef } from 'vue'

/** Marks what `useRealtimeState` returns; by a name, as a package may be loaded twice. */
export const realtimeState: unique symbol = Symbol.for('@tutti/vue:state')

/** Tells the state of a key from other refs. */
export const isRealtimeState = (value: unknown): boolean => isRef(value) && realtimeState in value
