import { effectScope, getCurrentScope, onScopeDispose, watch } from 'vue'

/** Subscribes to what `source` returns, again after each change, until the scope ends. Returns an unsubscribe function. */
export type ScopedSubscribe = <Source>(source: () => Source, listen: (value: Source) => () => void) => () => void

/** Subscriptions that end with the scope in which this is called. */
export function createScopedSubscriptions(onServer: boolean): ScopedSubscribe {
  const scope = getCurrentScope() ?? effectScope(true)
  return (source, listen) => {
    // There are no listeners on a server, nor in an unmounted component.
    if (onServer || !scope.active) return () => {}
    let end = listen(source())
    const inner = scope.run(() => effectScope())
    inner?.run(() => {
      const follow = (value: ReturnType<typeof source>): void => {
        end()
        end = listen(value)
      }
      watch(source, follow, { flush: 'sync' })
      onScopeDispose(() => end())
    })
    return () => inner?.stop()
  }
}
