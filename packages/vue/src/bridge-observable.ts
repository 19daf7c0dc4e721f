import type { Observable } from '@tutti/client'
import { getCurrentInstance, onMounted, onScopeDispose, onServerPrefetch } from 'vue'

/** Options of a bridge. */
export interface BridgeOptions<T> {
  onServer: boolean
  /** The content of the page: shown while the page is rendered on a server, and until its component is hydrated (S22). */
  rendered: () => T
  /** On a server: runs before the component is rendered. */
  load?: () => Promise<void>
  /** `current` has changed. */
  onChange: () => void
}

/** An observable as a component uses it. */
export interface Bridge<T> {
  readonly current: T
  /** Follows another observable instead. */
  follow(observable: Observable<T>): void
}

/** The one bridge from observables to Vue: follows one until the scope ends. */
export function bridgeObservable<T>(first: Observable<T>, { onServer, rendered, load, onChange }: BridgeOptions<T>): Bridge<T> {
  let source = first
  let live = false
  let stop = (): void => {}
  const goLive = (): void => {
    stop()
    stop = source.subscribe(onChange)
    live = true
  }
  // In the browser too, although it never runs there: Vue numbers the ids of `useId` differently below a component that has it.
  if (load && getCurrentInstance()) onServerPrefetch(() => load().then(onChange))
  if (!onServer && isHydrating()) {
    onMounted(() => {
      goLive()
      onChange()
    })
  } else if (!onServer) goLive()
  onScopeDispose(() => stop(), true)
  return {
    get current() {
      return live ? source.current : rendered()
    },
    follow: (next) => {
      source = next
      if (live) goLive()
      onChange()
    },
  }
}

/** A component that hydrates the output of a server has its element before its `setup`. */
const isHydrating = (): boolean => Boolean(getCurrentInstance()?.vnode.el)
