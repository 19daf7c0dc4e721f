import { onMounted, ref, watch, type Ref } from 'vue'

/** A text that this browser keeps; what was kept shows up once the page is hydrated, as the server knows nothing of it. */
export function useStoredText(storageKey: string, initial: () => string): Ref<string> {
  const text = ref('')
  onMounted(() => {
    text.value = read(storageKey) ?? initial()
    watch(text, (value) => write(storageKey, value))
  })
  return text
}

// A browser may forbid storage altogether; the text then lasts as long as the page.
function read(storageKey: string): string | undefined {
  try {
    return localStorage.getItem(storageKey) ?? undefined
  } catch {
    return undefined
  }
}

function write(storageKey: string, value: string): void {
  try {
    localStorage.setItem(storageKey, value)
  } catch {
    // Kept in the page alone.
  }
}
