import { computed, onMounted, ref, type ComputedRef } from 'vue'
import { THEME_STORAGE_KEY } from '../theme.ts'

/** Light or dark: the system's preference until the user chooses. */
export interface Theme {
  readonly isDark: ComputedRef<boolean>
  toggle(): void
}

/** The theme of this browser. */
export function useTheme(): Theme {
  const chosen = ref<string>()
  const systemIsDark = ref(false)
  const isDark = computed(() => (chosen.value === undefined ? systemIsDark.value : chosen.value === 'dark'))
  onMounted(() => {
    chosen.value = document.documentElement.dataset['theme']
    const preference = matchMedia('(prefers-color-scheme: dark)')
    systemIsDark.value = preference.matches
    preference.addEventListener('change', ({ matches }) => (systemIsDark.value = matches))
  })
  return {
    isDark,
    toggle: () => {
      chosen.value = isDark.value ? 'light' : 'dark'
      document.documentElement.dataset['theme'] = chosen.value
      try {
        localStorage.setItem(THEME_STORAGE_KEY, chosen.value)
      } catch {
        // Without storage it lasts as long as the page.
      }
    },
  }
}
