import { onScopeDispose, readonly, ref, watch, type Ref } from 'vue'

/** True once the source has been true for `delayMs`, so that brief states are not shown. */
export function useSettled(source: () => boolean, delayMs: number): Readonly<Ref<boolean>> {
  const settled = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = (): void => clearTimeout(timer)
  watch(source, (value) => {
    stop()
    if (value) timer = setTimeout(() => (settled.value = true), delayMs)
    else settled.value = false
  })
  onScopeDispose(stop)
  return readonly(settled)
}
