/** Draws .claude-plugin/icon.png: three linked cards, the first of them done. `node scripts/draw-icon.ts` */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

const SIZE = 512;
type Point = readonly [x: number, y: number];
type Colour = readonly [red: number, green: number, blue: number];
/** Signed distance to a shape's edge in pixels: negative inside. */
type Shape = (at: Point) => number;

function roundedBox([cx, cy]: Point, [width, height]: Point, radius: number): Shape {
  return ([x, y]) => {
    const dx = Math.abs(x - cx) - width / 2 + radius;
    const dy = Math.abs(y - cy) - height / 2 + radius;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
  };
}

function stroke(from: Point, to: Point, width: number): Shape {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  return ([x, y]) => {
    const along = ((x - from[0]) * dx + (y - from[1]) * dy) / (dx * dx + dy * dy);
    const t = Math.min(1, Math.max(0, along));
    return Math.hypot(x - from[0] - t * dx, y - from[1] - t * dy) - width / 2;
  };
}

function curve(from: Point, control: Point, to: Point, width: number): Shape[] {
  const at = (t: number): Point => [
    (1 - t) ** 2 * from[0] + 2 * t * (1 - t) * control[0] + t ** 2 * to[0],
    (1 - t) ** 2 * from[1] + 2 * t * (1 - t) * control[1] + t ** 2 * to[1],
  ];
  return Array.from({ length: 16 }, (_, i) => stroke(at(i / 16), at((i + 1) / 16), width));
}

const union =
  (...shapes: Shape[]): Shape =>
  (at) =>
    Math.min(...shapes.map((shape) => shape(at)));

interface Layer {
  readonly shape: Shape;
  readonly colour: (at: Point) => Colour;
  /** Width of the soft edge: 1 is an anti-aliased line, more is a shadow. */
  readonly softness?: number;
  readonly opacity?: number;
}

const solid = (colour: Colour) => () => colour;
const mix = (a: Colour, b: Colour, t: number): Colour => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

const NIGHT: Colour = [30, 27, 75];
const INDIGO: Colour = [79, 70, 229];
const PAPER: Colour = [250, 250, 255];
const LINK: Colour = [165, 180, 252];
const GREEN: Colour = [16, 185, 129];
const AMBER: Colour = [245, 158, 11];
const SKY: Colour = [56, 152, 246];
const INK: Colour = [199, 210, 254];

const CARD: Point = [172, 132];
const cards: readonly { readonly at: Point; readonly accent: Colour }[] = [
  { at: [256, 146], accent: GREEN },
  { at: [138, 358], accent: AMBER },
  { at: [374, 358], accent: SKY },
];

function card({ at: [x, y], accent }: (typeof cards)[number]): Layer[] {
  const dot = roundedBox([x - 50, y - 24], [40, 40], 20);
  const lines = union(stroke([x - 14, y - 24], [x + 58, y - 24], 13), stroke([x - 62, y + 16], [x + 58, y + 16], 13));
  const lastLine = stroke([x - 62, y + 42], [x + 16, y + 42], 13);
  return [
    { shape: roundedBox([x, y + 9], CARD, 26), colour: solid([10, 8, 40]), softness: 26, opacity: 0.45 },
    { shape: roundedBox([x, y], CARD, 26), colour: solid(PAPER) },
    { shape: union(lines, lastLine), colour: solid(INK) },
    { shape: dot, colour: solid(accent) },
  ];
}

const layers: Layer[] = [
  {
    shape: roundedBox([SIZE / 2, SIZE / 2], [SIZE, SIZE], 112),
    colour: ([x, y]) => mix(INDIGO, NIGHT, Math.min(1, (x * 0.35 + y) / (SIZE * 1.25))),
  },
  {
    shape: union(
      ...curve([226, 200], [146, 232], [138, 306], 15),
      ...curve([286, 200], [366, 232], [374, 306], 15),
      stroke([214, 358], [298, 358], 15),
    ),
    colour: solid(LINK),
  },
  ...cards.flatMap(card),
  { shape: union(stroke([196, 123], [203, 131], 7), stroke([203, 131], [217, 114], 7)), colour: solid(PAPER) },
];

function draw(): Buffer {
  // Each row starts with its filter type (0: none), then RGBA.
  const rows = Buffer.alloc(SIZE * (1 + SIZE * 4));
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const at: Point = [x + 0.5, y + 0.5];
      let colour: Colour = [0, 0, 0];
      let alpha = 0;
      for (const { shape, colour: paint, softness = 1, opacity = 1 } of layers) {
        const cover = Math.min(1, Math.max(0, 0.5 - shape(at) / softness)) * opacity;
        if (cover === 0) continue;
        // The ground alone sets the transparency: nothing else is drawn outside it.
        if (alpha === 0) [alpha, colour] = [cover, paint(at)];
        else colour = mix(colour, paint(at), cover);
      }
      rows.set([...colour.map(Math.round), Math.round(alpha * 255)], y * (1 + SIZE * 4) + 1 + x * 4);
    }
  }
  return rows;
}

function chunk(type: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const framed = Buffer.alloc(typed.length + 8);
  framed.writeUInt32BE(body.length, 0);
  typed.copy(framed, 4);
  framed.writeUInt32BE(crc32(typed), typed.length + 4);
  return framed;
}

function png(rows: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIZE, 0);
  header.writeUInt32BE(SIZE, 4);
  header.set([8, 6, 0, 0, 0], 8); // 8 bits per channel, RGBA, no interlacing
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const body = deflateSync(rows, { level: 9 });
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", body), chunk("IEND", Buffer.alloc(0))]);
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, "../.claude-plugin/icon.png"), png(draw()));
}
