export type DialectName = "sqlite" | "postgres";

export interface Migration {
  readonly name: string;
  statements(dialect: DialectName): readonly string[];
}
