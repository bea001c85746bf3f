import { plainLine } from "../../kernel/fence.ts";

export interface ProgressLine {
  report(done: number, total: number, what: string): void;
  /** A line that stays. */
  tell(line: string): void;
  /** Clears the line, so that what follows starts on a clean one. */
  end(): void;
}

const REDRAW_MS = 100;

/** One line that updates itself in a terminal, else a line at every tenth. */
export function progressLine(write: (text: string) => void, isTerminal: boolean): ProgressLine {
  let drawnAt = 0;
  let drawn = false;
  let lastTenth = 0;
  return {
    report(done, total, what) {
      const share = total > 0 ? Math.min(1, done / total) : 0;
      const text = `${plainLine(what, 60)} ${done}/${total} (${Math.floor(share * 100)} %)`;
      if (isTerminal) {
        if (Date.now() - drawnAt < REDRAW_MS && done < total) return;
        drawnAt = Date.now();
        drawn = true;
        write(`\r\u001b[K${text}`);
        return;
      }
      const tenth = Math.floor(share * 10);
      if (tenth < lastTenth) lastTenth = 0;
      if (tenth === lastTenth) return;
      lastTenth = tenth;
      write(`${text}\n`);
    },
    tell(line) {
      write(`${drawn ? "\r\u001b[K" : ""}${plainLine(line, 200)}\n`);
      drawn = false;
    },
    end() {
      if (drawn) write("\r\u001b[K");
      drawn = false;
    },
  };
}
