import { useRealtimeConnection } from '@tutti/vue'
import { useRealtimeLock } from '@tutti/vue/lock'
import { computed, onScopeDispose, type ComputedRef } from 'vue'
import { fieldLock, type VisitorInfo } from '../shared-state.ts'
import type { Visitor } from './use-visitor.ts'

/** The user that edits a field. */
export interface Editor {
  readonly name: string
  readonly user: string
}

/** A field of the form that one user at a time edits. */
export interface FieldLock {
  /** Another user that edits the field now. */
  readonly editor: ComputedRef<Editor | undefined>
  /** Listeners of the input. */
  readonly listeners: { focus(): void; input(): void; blur(): void }
}

/** A field that is only looked at does not stay locked. */
const IDLE_MS = 15_000

/** Locks a field while this user edits it. Without a connection the field can be edited, and its change is merged later. */
export function useFieldLock(field: string, { info }: Visitor): FieldLock {
  const { status } = useRealtimeConnection()
  const { holder, isTaken, acquire, release } = useRealtimeLock<Partial<VisitorInfo> | null>(fieldLock(field), { info: () => info.value })
  let idle: ReturnType<typeof setTimeout> | undefined

  const end = (): void => {
    clearTimeout(idle)
    idle = undefined
    void release().catch(() => {})
  }
  const begin = (): void => {
    clearTimeout(idle)
    // A refusal shows the other editor; without a connection nothing is locked.
    if (idle === undefined) void acquire().catch(() => {})
    idle = setTimeout(end, IDLE_MS)
  }
  onScopeDispose(() => clearTimeout(idle))

  return {
    editor: computed(() => {
      if (!isTaken.value || status.value !== 'connected') return undefined
      return { name: holder.value?.info?.name || 'Guest', user: holder.value?.user ?? '' }
    }),
    listeners: { focus: begin, input: begin, blur: end },
  }
}
