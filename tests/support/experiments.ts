import fc from "fast-check";

/** Two coordinated teams with every practice on. */
export const everything = `
experiment: { name: everything, repeat_backlog: true }
coordination: { enabled: true, coordinators: [staff_engineer_01, enablement_lead_01] }
wip_limits: { in_progress: 3, review: 2 }
disturbances: { enabled: true, frequencies: { dependency_breaks: 0.6, production_incident: 0.5, scope_creep: 0.5 } }
turnover: { enabled: true, starts_in_sprint: 1, probability: 0.3 }
meta_learning: { enabled: true }
profile_swapping: { mode: free }
specialists: { enabled: true }
sprint_zero: { enabled: true }
stakeholder_review: { enabled: true, cadence_sprints: 2, timeout_action: po_proxy }
models:
  agents:
    ann: { name: Ann Ito, seniority: senior, primary_specialization: backend, role_archetype: dev_lead }
    bob: { seniority: mid, primary_specialization: backend, role_archetype: developer }
    cem: { seniority: junior, primary_specialization: frontend, role_archetype: developer }
    dee: { seniority: senior, primary_specialization: testing, role_archetype: qa_lead }
    eva: { seniority: senior, primary_specialization: product, role_archetype: product_owner }
    fay: { seniority: senior, primary_specialization: devops, role_archetype: developer }
    gil: { seniority: mid, primary_specialization: frontend, role_archetype: developer }
    hana: { seniority: junior, primary_specialization: backend, role_archetype: developer }
    ivo: { seniority: senior, primary_specialization: testing, role_archetype: tester }
    jun: { seniority: senior, primary_specialization: devops, role_archetype: dev_lead }
    staff_engineer_01: { name: Staff Engineer, role_archetype: staff_engineer }
    enablement_lead_01: { name: Enablement Lead, role_archetype: enablement_lead }
teams:
  - { id: checkout, name: Checkout, team_type: stream_aligned, agents: [ann, bob, cem, dee, eva] }
  - { id: platform, team_type: platform, agents: [fay, gil, hana, ivo, jun] }
`;

const fields = ["backend", "frontend", "devops", "backend", "security"];

/** Stories that need each other's teams now and then. */
export function aBacklog(count = 15): string {
  const stories = Array.from({ length: count }, (_, index) => ({
    id: `US-${String(index + 1).padStart(3, "0")}`,
    title: `Build part ${index + 1} of the shop`,
    priority: index + 1,
    story_points: [1, 2, 3, 5, 3][index % 5],
    domain: fields[index % fields.length],
    acceptance_criteria: ["It does what it says."],
    ...(index % 6 === 2 ? { depends_on_team: "platform", dependency_type: "needs_api" } : {}),
  }));
  return JSON.stringify({ product: { mission: "Sell", languages: ["typescript"] }, stories });
}

const pick = <T>(...values: T[]) => fc.constantFrom(...values);
const yes = fc.boolean();

/** Configurations that `team check` lets pass, the odd ones among them: one agent, one day, no coordinator, nobody's role. */
export const anyExperiment = fc
  .record({
    teams: fc.array(
      fc.record({
        size: fc.integer({ min: 1, max: 6 }),
        limits: pick({}, { in_progress: 1, review: 1 }),
        practices: pick(
          {},
          { pairing: false },
          { retro: false, turnover: true },
          { profile_swapping: true, standup: false },
        ),
      }),
      { minLength: 2, maxLength: 5 },
    ),
    roles: fc.array(pick("developer", "dev_lead", "qa_lead", "product_owner", "tester", "wizard"), {
      minLength: 6,
      maxLength: 6,
    }),
    coordination: fc.record({
      enabled: yes,
      coordinators: pick([], ["se"], ["el", "se"]),
      full_loop_cadence: fc.integer({ min: 1, max: 3 }),
      max_borrows_per_sprint: fc.integer({ min: 0, max: 5 }),
      borrow_duration_sprints: fc.integer({ min: 1, max: 3 }),
      consent: pick("rule", "lead"),
      min_team_size: fc.integer({ min: 0, max: 3 }),
      overhead_budget: fc.record({ overhead_budget_pct: pick(0, 0.01, 0.2) }),
    }),
    sprint: fc.record({ minutes: pick(1, 60, 5000), days: fc.integer({ min: 1, max: 6 }) }),
    portfolio: fc.record({
      strategy: pick("round_robin", "heuristic", "coordinator"),
      stories_per_team: pick(1, 3, 5),
    }),
    profile_swapping: fc.record({ mode: pick("none", "constrained", "free") }),
    disturbances: fc.record({ enabled: yes }),
    sprint_zero: fc.record({ enabled: yes, ci_gate: yes }),
    specialists: fc.record({ enabled: yes }),
    stakeholder_review: fc.record({ enabled: yes, cadence_sprints: pick(1, 2) }),
    technical_planning: fc.record({ enabled: yes, min_tasks: pick(1, 5), hours: pick([4, 8, 16], [100]) }),
    standup: fc.record({ enabled: yes, from_day: pick(1, 2), minutes: pick(0, 480) }),
    consensus: fc.record({ enabled: yes, max_exchanges: pick(1, 3), threshold: pick(0, 0.6, 1) }),
    turnover: fc.record({ enabled: yes, starts_in_sprint: pick(1), probability: pick(0.4) }),
  })
  .map(({ teams, roles, ...settings }) => {
    const ids = teams.map(({ size }, team) => Array.from({ length: size }, (_, index) => `a${team}_${index}`));
    const people = ids.flat().map((id, index) => [id, { role_archetype: roles[index % roles.length] }]);
    return JSON.stringify({
      ...settings,
      experiment: { repeat_backlog: true },
      models: {
        agents: {
          ...Object.fromEntries(people),
          se: { role_archetype: "staff_engineer" },
          el: { role_archetype: "enablement_lead" },
        },
      },
      teams: teams.map(({ limits, practices }, index) => ({
        id: index === 0 ? "platform" : `team-${index}`,
        agents: ids[index],
        wip_limits: limits,
        practices,
      })),
    });
  });
