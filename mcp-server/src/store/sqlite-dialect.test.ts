import Sqlite from "better-sqlite3";
import type { Kysely, Transaction } from "kysely";
import { expect, test } from "vitest";
import type { Database } from "./database.ts";
import { prepared } from "./prepared.ts";
import { kyselyOver } from "./sqlite-dialect.ts";

const readValue = prepared((db, p: { key: string }) => db.selectFrom("meta").select("value").where("key", "=", p.key));
const write = prepared((db, p: { key: string; value: string }) =>
  db.insertInto("meta").values({ key: p.key, value: p.value }),
);

function empty(): Kysely<Database> {
  const file = new Sqlite(":memory:");
  file.exec("create table meta (key text primary key, value text)");
  return kyselyOver(file);
}

test("what is asked beside a running transaction waits for its end and sees none of it before", async () => {
  const db = empty();
  const release = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const order: string[] = [];
  const work = db.transaction().execute(async (trx) => {
    await write.run(trx, { key: "a", value: "1" });
    written.resolve();
    await release.promise;
    await write.run(trx, { key: "b", value: "2" });
    order.push("transaction");
  });
  await written.promise;
  const beside = readValue.first(db, { key: "b" }).then((row) => {
    order.push("beside");
    return row;
  });
  setTimeout(release.resolve, 20);
  await work;
  expect(await beside).toEqual({ value: "2" });
  expect(order).toEqual(["transaction", "beside"]);
});

test("the handle of a transaction that has ended is refused, also while another one runs", async () => {
  const db = empty();
  let ended: Transaction<Database> | undefined;
  await db.transaction().execute(async (trx) => {
    ended = trx;
    await write.run(trx, { key: "a", value: "1" });
  });
  const late = () => ended && write.run(ended, { key: "late", value: "x" });
  await expect(late()).rejects.toThrow(/already/);
  await db.transaction().execute(async (trx) => {
    await expect(late()).rejects.toThrow(/already/);
    expect(await readValue.first(trx, { key: "a" })).toEqual({ value: "1" });
    await expect(late()).rejects.toThrow(/already/);
  });
  expect(await readValue.first(db, { key: "late" })).toBeUndefined();
});

test("a transaction that fails leaves nothing and lets the next one in", async () => {
  const db = empty();
  const failing = db.transaction().execute(async (trx) => {
    await write.run(trx, { key: "a", value: "1" });
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await readValue.first(db, { key: "a" })).toBeUndefined();
  await db.transaction().execute((trx) => write.run(trx, { key: "a", value: "2" }));
  expect(await readValue.first(db, { key: "a" })).toEqual({ value: "2" });
});
