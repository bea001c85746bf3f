/** Texts of teamwright.yaml that several scenarios start from. */

/** Alpha is small and closely limited, beta has only the agents' own limit; the project's limits hold for all. */
export const threeTeams = `
wip_limits: { in_progress: 4, review: 2 }
teams:
  - { id: alpha, name: Team Alpha, team_type: platform, agents: [ada, abe], wip_limits: { in_progress: 1 } }
  - { id: beta, agents: [bea, bob] }
  - { id: gamma, agents: [gus] }
`;

export const twoTeams = `
teams:
  - { id: alpha, agents: [ada, abe], wip_limits: { in_progress: 2 } }
  - { id: beta, agents: [bea] }
`;

/** Limits wide enough for many agents to run into now and then, not always. */
export const twoCrowdedTeams = `
teams:
  - { id: alpha, agents: [ada, abe], wip_limits: { in_progress: 3, review: 2, per_agent: 2 } }
  - { id: beta, agents: [bea, bob], wip_limits: { per_agent: 3 } }
`;
