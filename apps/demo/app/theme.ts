/** The storage key of the theme chosen on this page: `light` or `dark`; absent if the system decides. */
export const THEME_STORAGE_KEY = 'tutti-theme'
