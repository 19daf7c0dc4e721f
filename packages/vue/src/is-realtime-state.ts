import { isRef } from 'vue'

/** Marks the results of `useRealtimeState`; a registered symbol, because the package may be loaded twice. */
export const realtimeState: unique symbol = Symbol.for('@tutti/vue:state')

/** Whether a ref is the state of a key. */
export const isRealtimeState = (value: unknown): boolean => isRef(value) && realtimeState in value
