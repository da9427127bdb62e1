// Applies the theme chosen in Settings (src/app/state/theme.svelte.ts) before the first paint.
try {
  const theme = localStorage.getItem('pocket-ipfs:theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage is refused in some private modes: the system's theme it is.
}
