import { join } from 'node:path'
import { copyJars, JAVA_TOOLS } from './kafka.ts'
import { ALONE, startBroker, startServer } from './kafka-server.ts'
import type { Engine } from './launcher/engine.ts'
import { freePort } from './launcher/free-port.ts'
import { recipeFile } from './launcher/python.ts'

/** Kafka 3.9, the last line on ZooKeeper, with ZooKeeper 3.8. Tests find it by `ARUS_KAFKA_39`, beside a Kafka 4. */
export const kafkaZookeeper: Engine = {
  name: 'kafka-zookeeper',
  version: '3.9.2',
  description: 'Kafka 3.9 on ZooKeeper 3.8 from Maven Central (60 MB)',
  tools: JAVA_TOOLS,
  recipe: [recipeFile('jars/kafka-zookeeper.xml')],

  install: ({ folder, run }) => run(copyJars('kafka-zookeeper', folder)),

  async start({ folder, runFolder, signal }) {
    const [port, zookeeperPort] = [await freePort(), await freePort()]
    const zookeeper = startServer({
      name: 'zookeeper',
      folder,
      runFolder,
      mainClass: 'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      properties: {
        tickTime: '2000',
        dataDir: join(runFolder, 'zookeeper'),
        clientPort: String(zookeeperPort),
        clientPortAddress: '127.0.0.1',
        'admin.enableServer': 'false',
      },
    })
    try {
      // The broker waits for ZooKeeper by itself.
      const broker = await startBroker(
        {
          name: 'kafka',
          folder,
          runFolder,
          mainClass: 'kafka.Kafka',
          properties: {
            ...ALONE,
            'broker.id': '1',
            'zookeeper.connect': `127.0.0.1:${zookeeperPort}`,
            'zookeeper.connection.timeout.ms': '60000',
            listeners: `PLAINTEXT://127.0.0.1:${port}`,
            'log.dirs': join(runFolder, 'data'),
          },
          signal,
        },
        port,
      )
      const stop = async () => {
        await broker.stop(5_000)
        await zookeeper.stop(2_000)
      }
      return { environment: { ARUS_KAFKA_39: `127.0.0.1:${port}` }, stop }
    } catch (error) {
      await zookeeper.stop(0)
      throw error
    }
  },
}
