import { sizeOfPart, type Part } from './part.ts'

/** Where further parts of a fetch come from: what was found last comes first. */
export interface Plans {
  add(parts: AsyncGenerator<Part, void>): void
  /** The next part; of a file about `bytes`, where so much is missing in a row. Undefined when nothing is left. */
  next(bytes: number): Promise<Part | undefined>
  end(): Promise<void>
}

interface Plan {
  parts: AsyncGenerator<Part, void>
  /** Looked at, and not given yet. */
  ahead?: Part
}

/** Not for two callers of `next` at once. */
export function createPlans(): Plans {
  const plans: Plan[] = []

  async function pull(plan: Plan): Promise<Part | undefined> {
    const { ahead } = plan
    delete plan.ahead
    if (ahead !== undefined) return ahead
    const { value } = await plan.parts.next()
    return value ?? undefined
  }

  async function grow(plan: Plan, part: Part, bytes: number): Promise<Part> {
    while (part.kind === 'range' && sizeOfPart(part) < bytes) {
      const next = await pull(plan)
      if (next === undefined) break
      const joins = next.kind === 'range' && next.root.equals(part.root) && next.from === part.to + 1
      if (!joins || next.to - part.from >= bytes) {
        plan.ahead = next
        break
      }
      part.to = next.to
    }
    return part
  }

  return {
    add: (parts) => void plans.push({ parts }),
    async next(bytes) {
      for (let plan = plans.at(-1); plan !== undefined; plan = plans.at(-1)) {
        const part = await pull(plan)
        if (part !== undefined) return grow(plan, part, bytes)
        plans.splice(plans.indexOf(plan), 1)
      }
      return undefined
    },
    async end() {
      for (const { parts } of plans.splice(0)) await parts.return(undefined)
    },
  }
}
