import { plainLine } from "../../kernel/fence.ts";

export interface ProgressLine {
  report(done: number, total: number, what: string): void;
  /** A line that stays. */
  tell(line: string): void;
  /** Clears the line, so that what follows starts on a clean one. */
  end(): void;
}

const REDRAW_MS = 100;
const BAR_WIDTH = 24;
/** Before that, what is left would be a guess. */
const GUESS_AFTER_MS = 2000;

/**
 * One line with a bar that updates itself in a terminal, else a line at every tenth.
 * @param columns the terminal's width at the moment; undefined where there is none
 */
export function progressLine(
  write: (text: string) => void,
  columns?: () => number,
  now: () => number = Date.now,
): ProgressLine {
  let drawnAt = 0;
  let drawn = false;
  let lastTenth = 0;
  let first: { readonly at: number; readonly done: number; readonly what: string } | undefined;
  return {
    report(done, total, what) {
      const share = total > 0 ? Math.min(1, done / total) : 0;
      const [name, count] = [plainLine(what, 60), `${done}/${total} (${Math.floor(share * 100)} %)`];
      if (columns) {
        if (first?.what !== what || done < first.done) first = { at: now(), done, what };
        if (now() - drawnAt < REDRAW_MS && done < total) return;
        drawnAt = now();
        drawn = true;
        const rest = `${count}${timeLeft(now() - first.at, done - first.done, total - done)}`;
        write(`\r\u001b[K${fitting([name, bar(share), rest], columns() - 1)}`);
        return;
      }
      const tenth = Math.floor(share * 10);
      if (tenth < lastTenth) lastTenth = 0;
      if (tenth === lastTenth) return;
      lastTenth = tenth;
      write(`${name} ${count}\n`);
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

/** A line that wraps could not be taken back: without room the bar goes first, then the end of the name. */
function fitting([name, drawn, rest]: readonly [name: string, drawn: string, rest: string], room: number): string {
  const whole = `${name} ${drawn} ${rest}`;
  if (whole.length <= room) return whole;
  return plainLine(`${plainLine(name, Math.max(1, room - rest.length - 1))} ${rest}`, Math.max(1, room));
}

function bar(share: number): string {
  const full = Math.floor(share * BAR_WIDTH);
  return "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
}

/** At the pace so far; what was done before the first report has no part in it. */
function timeLeft(elapsedMs: number, done: number, left: number): string {
  if (elapsedMs < GUESS_AFTER_MS || done === 0 || left === 0) return "";
  const seconds = Math.ceil(((elapsedMs / done) * left) / 1000);
  return `, ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
}
