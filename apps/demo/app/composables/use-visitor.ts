import { computed, onMounted, ref, type ComputedRef, type Ref, type WritableComputedRef } from 'vue'
import { guestAuth, guestIdOf } from '../guest.ts'
import type { VisitorInfo } from '../shared-state.ts'
import { useSession } from './use-session.ts'
import { useStoredText } from './use-stored-text.ts'

const INSTRUMENTS = ['Oboe', 'Viola', 'Celesta', 'Bassoon', 'Cornet', 'Harp', 'Timpani', 'Piccolo'] as const

/** The user of this page: signed in, or a guest with a name of their choice. */
export interface Visitor {
  /** As in presence and in the chat; '' until this browser has read the one of a guest. */
  readonly id: Readonly<Ref<string>>
  /** Only a guest can change it. */
  readonly name: WritableComputedRef<string>
  /** What others see; `undefined` until this browser has read the name of a guest. */
  readonly info: ComputedRef<VisitorInfo | undefined>
}

/** The user of this page. */
export function useVisitor(): Visitor {
  const session = useSession()
  const guestName = useStoredText('tutti-name', () => INSTRUMENTS[Math.floor(Math.random() * INSTRUMENTS.length)] ?? 'Oboe')
  const id = ref(session?.user ?? '')
  onMounted(() => (id.value ||= guestIdOf(guestAuth())))
  const name = computed({ get: () => session?.name ?? guestName.value, set: (chosen) => (guestName.value = chosen) })
  return { id, name, info: computed(() => (id.value ? { name: name.value.trim() || 'Guest' } : undefined)) }
}
