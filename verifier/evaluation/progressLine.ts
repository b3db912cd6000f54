/** What is being done: one line that is written over on a terminal, else a line for each new stage. */
import type { WriteStream } from 'node:tty'

export interface ProgressLine {
  stage(text: string): void
  /** How far the stage is. */
  part(text: string): void
  end(): void
}

export function createProgressLine(stream: WriteStream): ProgressLine {
  let current = ''
  const show = (text: string) => {
    if (stream.isTTY) stream.write(`\r\x1b[K${text.slice(0, stream.columns - 1)}`)
  }
  return {
    stage(text) {
      if (text === current) return
      current = text
      if (stream.isTTY) show(text)
      else stream.write(`${text}\n`)
    },
    part: (text) => show(`${current}: ${text}`),
    end: () => show(''),
  }
}
