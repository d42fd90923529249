// Begins the replica set and makes the user of assay, for mongosh; may be run again.
const admin = db.getSiblingDB('admin');
admin.auth('root', process.env.MONGODB_ROOT_PASSWORD);

const ALREADY_INITIALIZED = 23;
try {
  rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] });
} catch (error) {
  if (error.code !== ALREADY_INITIALIZED) throw error;
}

for (let tries = 0; !db.hello().isWritablePrimary; tries += 1) {
  if (tries >= 60) throw new Error('no primary after 60 s');
  sleep(1000);
}

const user = { pwd: process.env.ASSAY_MONGODB_PASSWORD, roles: [{ role: 'readWrite', db: 'assay' }] };
if (admin.getUser('assay') === null) admin.createUser({ user: 'assay', ...user });
else admin.updateUser('assay', user);
print('the replica set has a primary, and the user assay may write the database assay');
