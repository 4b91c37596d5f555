import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../lib/random.ts";
import { requireRoot } from "../../lib/testCapabilities.ts";
import { loadArchive } from "./archive.ts";
import { exportArchive } from "./exportArchive.ts";
import { sha256 } from "./oci.ts";
import { packImage } from "./pack.ts";
import { parseLdd, placeInImage } from "./sharedLibraries.ts";
import { ImageStore } from "./store.ts";
import { streamOf } from "./testing/tarOf.ts";
import { temporaryDirectory, temporaryStore } from "./testing/temporaryStore.ts";
import { dockerArchive, ociArchive, testImage } from "./testing/testImage.ts";

const tree = (directory: string) => execFileSync("find", [".", "-printf", "%y %p\n"], { cwd: directory }).toString();

/** What stands where in the store, as a reader of the whole tree sees it. */
const contents = (store: ImageStore, folder: string) => readdirSync(join(store.directory, folder)).length;

const hello = [{ name: "bin/run", content: "hello", mode: 0o755 }];

describe.runIf(requireRoot())("loading archives", () => {
  const cases = [
    { name: "a docker archive", archive: async () => dockerArchive(await testImage([hello]), ["go-api:0.0.2"]) },
    {
      name: "a compressed docker archive",
      archive: async () => gzipSync(await dockerArchive(await testImage([hello]), ["go-api:0.0.2"])),
    },
    ...(["none", "gzip", "zstd"] as const).map((compression) => ({
      name: `an OCI archive with layers compressed by ${compression}`,
      archive: async () => {
        const image = await testImage([hello], { compression });
        return ociArchive([{ image, annotations: { "io.containerd.image.name": "docker.io/library/go-api:0.0.2" } }]);
      },
    })),
  ];
  test.each(cases)("$name", async ({ archive }) => {
    const store = temporaryStore();
    const [loaded] = await loadArchive(store, streamOf(await archive()));
    expect(loaded?.names).toEqual(["docker.io/library/go-api:0.0.2"]);
    const image = store.find("go-api:0.0.2");
    expect(image?.id).toBe(sha256((await testImage([hello])).config));
    expect(tree(join(store.layersDirectory, store.layerNames(image as never)[0] as string))).toContain("f ./bin/run");
  });

  test("from a file, with a name given", async () => {
    const store = temporaryStore();
    const path = join(temporaryDirectory(), "image.tar");
    writeFileSync(path, await ociArchive([{ image: await testImage([hello]) }]));
    const [loaded] = await loadArchive(store, path, { names: ["mine"] });
    expect(loaded?.names).toEqual(["docker.io/library/mine:latest"]);
    expect(store.status("mine")?.repoTags).toEqual(["docker.io/library/mine:latest"]);
  });

  test("several images of one archive", async () => {
    const store = temporaryStore();
    const name = (of: string) => ({ "io.containerd.image.name": of });
    const [a, b] = await Promise.all([testImage([hello]), testImage([[{ name: "other" }], hello])]);
    await loadArchive(
      store,
      streamOf(
        await ociArchive([
          { image: a, annotations: name("a:1") },
          { image: b, annotations: name("b:1") },
        ]),
      ),
    );
    expect(store.list().flatMap((image) => image.repoTags)).toEqual(["docker.io/library/a:1", "docker.io/library/b:1"]);
  });

  test("content that does not match its digest is refused, and nothing of it stays", async () => {
    const store = temporaryStore();
    const image = await testImage([hello]);
    const archive = await ociArchive([{ image, annotations: { "io.containerd.image.name": "a:1" } }]);
    archive.write("HELLO", archive.indexOf("hello"));
    await expect(loadArchive(store, streamOf(archive))).rejects.toThrow("content does not match its digest");
    expect([store.list(), contents(store, "layers"), contents(store, "tmp")]).toEqual([[], 0, 0]);
  });

  test("what is no image archive is refused", async () => {
    await expect(loadArchive(temporaryStore(), streamOf(Buffer.alloc(1024)))).rejects.toThrow(
      "neither index.json nor manifest.json",
    );
  });
});

describe.runIf(requireRoot())("packing", () => {
  const options = { name: "app:1", programs: [{ source: "/bin/cat" }], files: [{ path: "/app/x", content: "1" }] };

  test("the same content gives the same digest, in another store too", async () => {
    const [a, b] = [await packImage(temporaryStore(), options), await packImage(temporaryStore(), options)];
    expect(a).toEqual(b);
  });

  test("the digest is that of the archive that is exported, and another store takes it", async () => {
    const [store, other] = [temporaryStore(), temporaryStore()];
    const packed = await packImage(store, options);
    const path = join(temporaryDirectory(), "app.tar");
    await exportArchive(store, "app:1", path);
    const [loaded] = await loadArchive(other, path);
    expect(loaded?.image).toEqual(packed);
    expect(loaded?.names).toEqual(["docker.io/library/app:1"]);
    const trees = [store, other].map((of) =>
      of.layerNames(packed).map((name) => tree(join(of.layersDirectory, name)).split("\n").sort()),
    );
    expect(trees[0]).toEqual(trees[1]);
  });

  test("the program runs on its libraries alone", async () => {
    const store = temporaryStore();
    const image = await packImage(store, options);
    const [, programs = ""] = store.layerNames(image);
    const output = execFileSync("chroot", [join(store.layersDirectory, programs), "/usr/local/bin/cat", "--version"]);
    expect(output.toString()).toContain("cat");
  });

  test("libraries are read off what ldd prints", () => {
    const output = "\tlinux-vdso.so.1 (0x1)\n\tlibm.so.6 => /lib/libm.so.6 (0x2)\n\t/lib64/ld-linux.so.2 (0x3)\n";
    expect(parseLdd(output)).toEqual(["/lib/libm.so.6", "/lib64/ld-linux.so.2"]);
    expect(() => parseLdd("\tlibx.so => not found\n")).toThrow("the library libx.so is missing");
  });

  test("a library that only LD_LIBRARY_PATH finds goes where the loader looks anyway", () => {
    const libraries = ["/home/me/lib/libatomic.so.1", "/lib/x/libc.so.6", "/opt/lib/libm.so.6"];
    const places = libraries.map((library) => placeInImage(library, libraries, "/home/me/lib:/other"));
    expect(places).toEqual(["/lib/x/libatomic.so.1", "/lib/x/libc.so.6", "/opt/lib/libm.so.6"]);
  });
});

describe.runIf(requireRoot())("the store", () => {
  test("finds by any spelling of the name, by id and by digest", async () => {
    const store = temporaryStore();
    const { id, manifestDigest } = await packImage(store, {
      name: "app:1",
      programs: [],
      files: [{ path: "a", content: "" }],
    });
    const spellings = [
      "app:1",
      "library/app:1",
      "docker.io/library/app:1",
      id,
      id.slice(7, 19),
      `app@${manifestDigest}`,
    ];
    expect(spellings.map((name) => store.find(name)?.id)).toEqual(spellings.map(() => id));
    expect(store.find("app:2")).toBeUndefined();
  });

  test("another process's changes are seen, and neither loses the other's", async () => {
    const store = temporaryStore();
    const other = new ImageStore({ directory: store.directory, random: seededRandom("other") });
    const pack = (of: ImageStore, name: string) =>
      packImage(of, { name, programs: [], files: [{ path: "a", content: name }] });
    await Promise.all([pack(store, "a"), pack(other, "b"), pack(store, "c"), pack(other, "d")]);
    expect([store.list().length, other.list().length]).toEqual([4, 4]);
  });

  test("removing an image frees what no other one uses", async () => {
    const store = temporaryStore();
    const shared = [{ name: "base" }];
    const name = (of: string) => ({ "io.containerd.image.name": of });
    const [a, b] = await Promise.all([testImage([shared, hello]), testImage([shared])]);
    await loadArchive(
      store,
      streamOf(
        await ociArchive([
          { image: a, annotations: name("a:1") },
          { image: b, annotations: name("b:1") },
        ]),
      ),
    );
    await store.remove("a:1");
    expect([contents(store, "layers"), contents(store, "blobs/sha256"), store.list().length]).toEqual([1, 3, 1]);
    await store.remove("b:1");
    expect([contents(store, "layers"), contents(store, "blobs/sha256"), store.list().length]).toEqual([0, 0, 0]);
  });

  test("a name moves to the newer image", async () => {
    const store = temporaryStore();
    const pack = (content: string) =>
      packImage(store, { name: "app:1", programs: [], files: [{ path: "a", content }] });
    await pack("old");
    const { id } = await pack("new");
    expect(store.status("app:1")?.id).toBe(id);
    expect(store.list().map((image) => image.repoTags)).toEqual([[], ["docker.io/library/app:1"]]);
  });
});
