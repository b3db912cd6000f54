import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError, findCommand, parseLine } from '../../cli/arguments.ts'
import { COMMANDS } from '../../cli/commands.ts'
import { explain, overview } from '../../cli/help.ts'

function refusal(...words: string[]): string {
  try {
    parseLine(COMMANDS, words)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return assert.fail('the line was accepted')
}

test('a command is found by one word or two', () => {
  assert.equal(findCommand(COMMANDS, ['status', 'x']).name, 'status')
  assert.equal(findCommand(COMMANDS, ['run', 'start', '--name', 'x']).name, 'run start')
})

test('an unknown command, and half of one, are refused with what would fit', () => {
  assert.match(refusal('publsh'), /there is no command "publsh"/)
  assert.match(refusal('run'), /one of: run start, run finish/)
})

test('options get the types of their table, defaults included', () => {
  const { args } = parseLine(COMMANDS, ['publish', './data', 'a/b', '--license', 'MIT', '--source', 'x', '--source', 'y=https://y.example'])
  assert.deepEqual([...args.positionals], ['./data', 'a/b'])
  assert.equal(args.options['license'], 'MIT')
  assert.equal(args.options['wait'], false)
  assert.equal(args.options['synthetic'], 'unknown')
  assert.deepEqual(args.options['source'], ['x', 'y=https://y.example'])
  assert.equal(args.options['title'], undefined)
  assert.equal(parseLine(COMMANDS, ['audit', 'x', '--samples', '7']).args.options['samples'], 7)
})

test('what is missing, superfluous or of another type is refused by name', () => {
  assert.equal(refusal('publish', './data'), 'NS/NAME is missing')
  assert.equal(refusal('publish', './data', 'a/b'), '--license SPDX is missing')
  assert.equal(refusal('status', 'a/b', 'c'), '"c" is one word too many')
  assert.match(refusal('audit', 'x', '--samples', 'many'), /--samples is a whole number, 1 or more; not "many"/)
  assert.match(refusal('audit', 'x', '--samples', '0'), /1 or more; not "0"/)
  assert.match(refusal('select', 'a/b', '--policy', 'lax'), /--policy is one of verified, strict, as-published; not "lax"/)
  assert.match(refusal('status', 'a/b', '--colour'), /--colour/)
})

test('--help asks for nothing else', () => {
  const { command, common } = parseLine(COMMANDS, ['publish', '--help'])
  assert.equal(command.name, 'publish')
  assert.equal(common.help, true)
})

test('help names every command, and each command’s help every option of it', () => {
  const text = overview(COMMANDS)
  for (const command of COMMANDS) {
    assert.ok(text.includes(`  ${command.name}`), command.name)
    for (const option of Object.keys(command.options)) assert.ok(explain(command).includes(`--${option}`), `${command.name} --${option}`)
  }
})
