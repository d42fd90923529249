import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import de.bwaldvogel.mongo.wire.message.MongoQuery;
import io.netty.channel.Channel;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.h2.mvstore.MVStore;

/**
 * The store for machines where no mongod can be had: mongo-java-server over one H2 file, for development on one
 * machine. Usage: Launcher --port PORT --file FILE. Listens on 127.0.0.1 only and prints "listening PORT".
 * SIGTERM closes the file cleanly; after SIGKILL no acknowledged write is missing.
 */
public final class Launcher {
    private Launcher() {}

    public static void main(String[] arguments) {
        int port = Integer.parseInt(option(arguments, "--port"));
        MVStore file = new MVStore.Builder().fileName(option(arguments, "--file")).autoCommitDisabled().open();
        // Space that a commit frees is used again at once. Keeping it for a while would only help after a crash of the
        // machine, and commits are not synced to the device anyway; a killed process loses nothing that was written.
        file.setRetentionTime(0);
        DurableBackend backend = new DurableBackend(file);
        backend.version(new Reported());
        MongoServer server = new MongoServer(backend);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            backend.close();
            // The server's own shutdown waits two seconds for its threads to be idle; nothing can be written any more.
            Runtime.getRuntime().halt(0);
        }));
        server.bind("127.0.0.1", port);
        System.out.println("listening " + server.getLocalAddress().getPort());
    }

    private static String option(String[] arguments, String name) {
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            if (arguments[at].equals(name)) return arguments[at + 1];
        }
        throw new IllegalArgumentException("missing " + name);
    }

    /** The oldest server that current drivers talk to; the versions that come with the library are older. */
    private static final class Reported implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
            return 9;
        }
    }

    /** Answers a command only when what it wrote is in the file. */
    private static final class DurableBackend extends H2Backend {
        private static final long TIDY_SECONDS = 5;
        private static final int WANTED_FILL_PERCENT = 60;
        private static final int TIDY_BYTES = 4 << 20;

        /**
         * Commands share it, a commit has it alone: a commit in the middle of another command could save a unique key
         * without its document, which after a kill would refuse the retry of that very insert.
         */
        private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);

        private final MVStore file;
        private final ScheduledExecutorService tidy = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "tidy");
            thread.setDaemon(true);
            return thread;
        });

        DurableBackend(MVStore file) {
            super(file);
            this.file = file;
            tidy.scheduleWithFixedDelay(this::reclaim, TIDY_SECONDS, TIDY_SECONDS, TimeUnit.SECONDS);
        }

        @Override
        public Document handleMessage(MongoMessage message) {
            return durably(() -> super.handleMessage(message));
        }

        @Override
        public Document handleCommand(Channel channel, String database, String command, Document query) {
            return durably(() -> super.handleCommand(channel, database, command, query));
        }

        @Override
        public QueryResult handleQuery(MongoQuery query) {
            return durably(() -> super.handleQuery(query));
        }

        private <T> T durably(Supplier<T> command) {
            boolean outermost = lock.getReadHoldCount() == 0;
            T answer;
            lock.readLock().lock();
            try {
                answer = command.get();
            } finally {
                lock.readLock().unlock();
                // Also after a failure: a bulk insert that met a duplicate key has inserted what came before it.
                if (outermost) commitAlone();
            }
            return answer;
        }

        private void commitAlone() {
            if (!file.hasUnsavedChanges()) return;
            lock.writeLock().lock();
            try {
                if (file.hasUnsavedChanges()) file.commit();
            } finally {
                lock.writeLock().unlock();
            }
        }

        /** Every commit writes a chunk of its own; without this the file would only grow. */
        private void reclaim() {
            lock.writeLock().lock();
            try {
                if (!file.isClosed()) file.compact(WANTED_FILL_PERCENT, TIDY_BYTES);
            } catch (RuntimeException problem) {
                System.err.println("the file could not be tidied: " + problem);
            } finally {
                lock.writeLock().unlock();
            }
        }

        @Override
        public void close() {
            tidy.shutdownNow();
            // Never given back: a command that arrives now waits, and its client sees the connection end.
            lock.writeLock().lock();
            super.close();
        }
    }
}
