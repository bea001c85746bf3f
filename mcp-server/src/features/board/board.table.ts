export interface BoardCountTable {
  team: string;
  col: string;
  n: number;
}
