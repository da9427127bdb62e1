export function withLock<T>(
  path: string,
  work: () => T | Promise<T>,
  options?: { onWait?: (pid: number | undefined) => void },
): Promise<T>
