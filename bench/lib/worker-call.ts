/** A worker of bench/pages, from the outside. */
import type { JSHandle, Page } from '@playwright/test'
import type { Answer } from '../pages/answer.ts'

/** Starts a dedicated worker in a page of the bench's origin. */
export function startWorker(page: Page, name: 'raw' | 'stock'): Promise<JSHandle<Worker>> {
  return page.evaluateHandle((url) => new Worker(url, { type: 'module' }), `/${name}.js`)
}

/** Resolves with the time that the operation took inside of the worker, in ms. */
export async function callWorker(
  page: Page,
  worker: JSHandle<Worker>,
  operation: string,
  file: JSHandle<File>,
): Promise<number> {
  const answer = await page.evaluate(
    (question) =>
      new Promise<Answer>((resolve) => {
        question.worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data)
        question.worker.onerror = ({ message }) => resolve({ error: message })
        question.worker.postMessage({ operation: question.operation, file: question.file })
      }),
    { worker, operation, file },
  )
  if ('error' in answer) throw new Error(`${operation}: ${answer.error}`)
  return answer.ms
}
