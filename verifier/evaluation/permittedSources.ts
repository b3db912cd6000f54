/** Sources whose licence allows weights that are made from them to be published, by the field `source` of their rows. */
export const PERMITTED_SOURCES: Readonly<Record<string, { repository: string; license: string }>> = {
  SeqXGPT: { repository: 'Jihuai-wpy/SeqXGPT', license: 'Apache-2.0' },
  'Fast-DetectGPT/exp_main': { repository: 'baoguangsheng/fast-detect-gpt', license: 'MIT' },
  'GPTID(PHD)': { repository: 'ArGintum/GPTID', license: 'MIT' },
}
