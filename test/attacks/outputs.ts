import { DISCARDED, same, type Attack } from './attack.js';

const tooMuch = (limit: 'names' | 'depth') => same({ ends: ['crash'], phase: 'seal', limit });
const violation = (reason: RegExp) => same({ ends: ['violation'], phase: 'seal', reason });

/** Attacks by what lies in the outputs folder when it is sealed. */
export const OUTPUTS: readonly Attack[] = [
  {
    name: 'link-inside',
    does: 'makes the artifact a symbolic link to a file beside it',
    code: `put("y", "{}")\nos.symlink("y", os.path.join(OUT, "x.json"))`,
    ...violation(/symbolic link/),
  },
  {
    name: 'link-outside',
    does: 'makes the artifact a symbolic link to a file of the host',
    code: `os.symlink("/etc/hosts", os.path.join(OUT, "x.json"))`,
    ...violation(/symbolic link/),
  },
  {
    name: 'link-dangling',
    does: 'makes the artifact a link to where the evaluator’s labels would be',
    code: `os.symlink("../../../../prepared/labels.txt", os.path.join(OUT, "x.json"))`,
    ...violation(/symbolic link/),
  },
  {
    name: 'link-folder',
    does: 'puts a link to the folder of its code among the outputs',
    code: `artifact()\nos.symlink(os.getcwd(), os.path.join(OUT, "lib"))`,
    ...violation(/symbolic link/),
  },
  {
    name: 'outputs-exchanged',
    does: 'replaces the outputs folder itself by a link',
    code: `
artifact()
def exchange():
    os.rename(OUT, OUT + ".old")
    os.symlink(os.getcwd(), OUT)
tried(exchange)`,
    best: DISCARDED,
    group: { ends: ['violation'], phase: 'seal' },
  },
  {
    name: 'hard-link',
    does: 'makes the artifact a hard link',
    code: `artifact()\nos.link(os.path.join(OUT, "x.json"), os.path.join(OUT, "y.json"))`,
    ...violation(/hard links/),
  },
  {
    name: 'fifo',
    does: 'makes the artifact a FIFO, which blocks every reader',
    code: `os.mkfifo(os.path.join(OUT, "x.json"))`,
    ...violation(/FIFO/),
  },
  {
    name: 'socket',
    does: 'makes the artifact a socket',
    code: `os.chdir(OUT)\nsocket.socket(socket.AF_UNIX).bind("x.json")`,
    ...violation(/socket/),
  },
  {
    name: 'device',
    does: 'makes the artifact a device of endless zeros',
    code: `
artifact()
tried(os.mknod, os.path.join(OUT, "zero"), 0o666 | 0o020000, os.makedev(1, 5))`,
    best: DISCARDED,
    // only root may make one
    group: { ends: ['violation', 'discard'] },
  },
  {
    name: 'sparse',
    does: 'leaves sparse files that claim 600 MB',
    code: `
artifact()
for i in range(40):
    with open(os.path.join(OUT, f"{i}.bin"), "wb") as file: file.truncate(15 << 20)`,
    ...violation(/sparse/),
  },
  {
    name: 'many-folders',
    does: 'leaves 3,000 empty folders',
    code: `
artifact()
for i in range(3000): os.mkdir(os.path.join(OUT, f"d{i}"))`,
    ...tooMuch('names'),
  },
  {
    name: 'deep-folders',
    does: 'leaves folders nested beyond the longest path that can be named',
    code: `
artifact()
os.chdir(OUT)
for i in range(1500):
    os.mkdir("deeper")
    os.chdir("deeper")`,
    ...tooMuch('depth'),
  },
  {
    name: 'long-paths',
    does: 'leaves folders with long names, nested beyond the longest path that can be named',
    code: `
artifact()
os.chdir(OUT)
for i in range(30):
    os.mkdir("n" * 250)
    os.chdir("n" * 250)
open("w", "w")`,
    ...tooMuch('names'),
  },
  {
    name: 'many-names',
    does: 'leaves 20,000 empty files',
    code: `
artifact()
for i in range(20000): open(os.path.join(OUT, str(i)), "w").close()`,
    ...tooMuch('names'),
  },
  {
    name: 'names-as-weights',
    does: 'carries 34 kB in the names of 191 empty files and folders',
    code: `
artifact()
for i in range(191): (os.mkdir if i % 2 else os.mknod)(os.path.join(OUT, os.urandom(89).hex()))`,
    ...same({ ends: ['size_blocked'], phase: 'pack', limit: 'size' }),
    gated: true,
  },
  {
    name: 'names',
    does: 'leaves names with line breaks and escapes',
    code: `artifact()\nput("a\\nkeep\\x1b[2J", "x")`,
    ...violation(/control characters/),
  },
  {
    name: 'raw-names',
    does: 'leaves names that are no UTF-8',
    code: `artifact()\nopen(os.fsencode(OUT) + b"/\\xff\\xfe", "w")`,
    ...violation(/no UTF-8/),
  },
  {
    name: 'closed',
    does: 'leaves files and folders that it closed to its own user',
    code: `
artifact()
put("closed", "x")
os.chmod(os.path.join(OUT, "closed"), 0o000)
os.mkdir(os.path.join(OUT, "locked"), 0o000)`,
    // only root can look into them
    ...same({ ends: ['discard', 'crash'] }),
  },
  {
    name: 'setuid',
    does: 'leaves a setuid program',
    code: `
artifact()
put("su", "#!/bin/sh\\n")
os.chmod(os.path.join(OUT, "su"), 0o6755)`,
    ...same(DISCARDED),
  },
  {
    name: 'immutable',
    does: 'makes its files such that even root may not remove them',
    code: `
artifact()
tried(lambda: subprocess.run(["chattr", "+i", os.path.join(OUT, "x.json"), os.getcwd()], stdin=subprocess.DEVNULL))`,
    ...same(DISCARDED),
  },
  {
    name: 'background-writer',
    does: 'writes a perfect artifact after its first process has ended',
    code: `
artifact()
daemon('''
time.sleep(0.3)
for i in range(600):
    with open(OUT + "/x.json", "w") as file: file.write('{"x": 3.0}')
    time.sleep(0.1)
''')`,
    ...same(DISCARDED),
  },
  {
    name: 'swap-race',
    does: 'exchanges the artifact and a link hundreds of times a second while it is sealed',
    code: `
artifact()
daemon('''
for i in range(100000):
    try:
        os.symlink("/etc/hosts", OUT + "/l"); os.replace(OUT + "/l", OUT + "/x.json")
        open(OUT + "/f", "w").write('{"x": 0.5}'); os.replace(OUT + "/f", OUT + "/x.json")
    except OSError: pass
    time.sleep(0.0005)
''')
time.sleep(0.3)`,
    ...same({ ends: ['discard', 'violation', 'crash'] }),
  },
];
