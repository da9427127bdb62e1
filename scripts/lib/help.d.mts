export const HELP: { start: string; test: string; bench: string; soak: string }
