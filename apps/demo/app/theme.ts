/** Where the browser keeps the theme that was chosen on this page: `light` or `dark`; nothing where the system decides. */
export const THEME_STORAGE_KEY = 'tutti-theme'
