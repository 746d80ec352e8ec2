"""A store that was opened before a fork works in the parent, and is refused in the child."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from tests.servers import Postgres, Valkey, unmeasured_environment

PROGRAM = textwrap.dedent(
    """
    import asyncio, json, os, sys
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks where there are threads
    from async_oauth1.credentials import Client, TemporaryCredential
    from async_oauth1.stores import Store, open_store
    from async_oauth1.stores.caching import CachingStore, open_change_feed

    async def attempt(question):
        try:
            async with asyncio.timeout(60):
                return repr(await question)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def questions(store):
        pending = TemporaryCredential(
            oauth_token="asked", oauth_token_secret="s", client_id="c", oauth_callback="oob",
            user_id="jane", decided=True
        )
        token = {"oauth_token": "new", "oauth_token_secret": "s"}
        made = {
            "ping": store.ping(),
            "exists_nonce": store.exists_nonce("n", "4000000000", "c", None),
            "create_temporary_credential": store.create_temporary_credential(token, "c", "oob"),
            "get_temporary_credential": store.get_temporary_credential("asked"),
            "create_authorization_verifier": store.create_authorization_verifier(pending, "jane", "v"),
            "count_wrong_verifier": store.count_wrong_verifier("asked"),
            "deny_temporary_credential": store.deny_temporary_credential("asked"),
            "delete_temporary_credential": store.delete_temporary_credential("asked"),
        }
        if isinstance(store, Store):
            made |= {
                "query_client": store.query_client("c"),
                "query_token": store.query_token("c", "t"),
                "query_credentials": store.query_credentials("c", "t"),
                "create_token_credential": store.create_token_credential(token, pending),
                "exchange": store.exchange(pending, token),
                "issue_token_credential": store.issue_token_credential("c", "jane"),
                "add_client": store.add_client(Client(client_id="d", client_secret="s")),
                "list_clients": store.list_clients(),
                "rotate_client_secret": store.rotate_client_secret("c", overlap=0),
                "update_client": store.update_client("c", nonce_policy="log-only"),
                "remove_client": store.remove_client("c"),
                "list_token_credentials": store.list_token_credentials(),
                "revoke_token_credential": store.revoke_token_credential("t"),
                "revoke_token_credentials": store.revoke_token_credentials(client_id="c"),
            }
        return made

    async def in_child(store):
        answers = {name: await attempt(question) for name, question in questions(store).items()}
        answers["close"] = await attempt(store.close())
        if not store.url.startswith("memory:"):
            answers["migrate"] = await attempt(store.migrate())
        answers["open"] = await attempt(store.open())
        answers["again"] = await attempt(store.exists_nonce("of the child", "4000000000", "c", None))
        answers["close again"] = await attempt(store.close())
        return answers

    async def begin(store):
        await store.migrate()
        await store.open()
        if isinstance(store, Store):
            await store.add_client(Client(client_id="c", client_secret="s"))
            assert (await store.query_client("c")).client_id == "c"
        assert not await store.exists_nonce("before", "4000000000", "c", None)
        token = {"oauth_token": "asked", "oauth_token_secret": "s"}
        await store.create_temporary_credential(token, "c", "oob")

    async def under_way(store):
        asked = asyncio.ensure_future(store.exists_nonce("under way", "4000000000", "c", None))
        await asyncio.sleep(0)
        return asked

    async def end(store, asked):
        answers = [await asked, await store.exists_nonce("before", "4000000000", "c", None)]
        answers += [await store.exists_nonce("n", "4000000000", "c", None) for _ in range(2)]
        answers.append((await store.get_temporary_credential("asked")).oauth_token)
        if isinstance(store, Store):
            answers.append((await store.query_client("c")).client_id)
            answers.append([client.client_id for client in await store.list_clients()])
        await store.ping()
        await store.close()
        return answers

    store = open_store(sys.argv[1])
    if sys.argv[2:]:
        store = CachingStore(store, open_change_feed(sys.argv[2]))
    runner = asyncio.Runner()
    runner.run(begin(store))
    asked = runner.run(under_way(store))
    read, write = os.pipe()
    if os.fork() == 0:
        asyncio.set_event_loop(None)
        with open(write, "w") as output:
            json.dump(asyncio.run(in_child(store)), output)
        sys.exit(0)
    os.close(write)
    with open(read) as answer:
        child = json.load(answer)
    os.wait()
    print(json.dumps([child, runner.run(end(store, asked))]))
    """
)


def fork(*urls: str) -> tuple[dict[str, str], list[object], str]:
    """The answers in a forked child, those in its parent afterwards, and what both logged."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *urls],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=unmeasured_environment(),
    )
    assert done.returncode == 0, done.stderr
    child, parent = json.loads(done.stdout)
    return child, parent, done.stderr


def check(child: dict[str, str], parent: list[object], log: str, advice: str) -> None:
    """Check that every operation is refused in the child, and that the parent is not affected."""
    after = [child.pop(name) for name in ("close", "open", "again", "close again")]
    migrated = child.pop("migrate", None)
    assert migrated in (None, "None")  # a memory store has nothing to migrate
    for name, answer in child.items():
        assert answer.startswith("ForkedStoreError: "), (name, answer)
        assert advice in answer, (name, answer)
    assert advice in log
    assert "Traceback" not in log
    assert parent[:5] == [False, True, False, True, "asked"]
    assert parent[5:] in ([], ["c", ["c"]])
    assert after[0] == after[3] == "None"
    if advice == MEMORY:
        assert after[1].startswith("ForkedStoreError: ")
        assert after[2].startswith("ForkedStoreError: ")
    else:
        assert after[1:3] == ["None", "False"]


WORKER = "open the store in each worker"
MEMORY = "use one that processes can share"


def test_every_kind_of_store(url: str) -> None:
    """The error says what to do, closing does not affect the parent, and the child can open the store again."""
    check(*fork(url), MEMORY if url == "memory://" else WORKER)


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_with_a_cache(url: str, valkey: Valkey) -> None:
    """The child neither uses what the parent has cached nor receives the parent's announcements."""
    check(*fork(url, valkey.url), MEMORY if url == "memory://" else WORKER)


@pytest.mark.parametrize("kind", ["postgres"])
def test_with_the_cache_that_postgresql_invalidates(url: str, postgres: Postgres) -> None:
    """The same with PostgreSQL's change feed."""
    check(*fork(url, postgres.url), WORKER)


def test_a_store_that_is_opened_in_each_worker(shared_url: str) -> None:
    """A store that is made before the fork and opened afterwards works."""
    program = textwrap.dedent(
        """
        import asyncio, os, sys
        from async_oauth1.stores import open_store
        store = open_store(sys.argv[1])
        asyncio.run(store.migrate())
        async def serve():
            async with store:
                return await store.exists_nonce("n", "4000000000", "c", None)
        child = os.fork()
        if child == 0:
            os._exit(asyncio.run(serve()))
        assert os.waitpid(child, 0)[1] == 0
        assert asyncio.run(serve())
        """
    )
    subprocess.run([sys.executable, "-c", program, shared_url], check=True, timeout=300, env=unmeasured_environment())


def test_a_memory_store_with_clients_alone() -> None:
    """Clients that were added before the fork are in each worker, and each worker has its own nonces."""
    program = textwrap.dedent(
        """
        import asyncio, os
        from async_oauth1.credentials import Client
        from async_oauth1.stores import MemoryStore
        store = MemoryStore()
        async def register():
            async with store:
                await store.add_client(Client(client_id="c", client_secret="s"))
        asyncio.run(register())
        async def serve():
            async with store:
                assert await store.query_client("c") is not None
                assert not await store.exists_nonce("n", "4000000000", "c", None)
        child = os.fork()
        if child == 0:
            asyncio.run(serve())
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        asyncio.run(serve())
        """
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_the_pool_of_an_application(postgres: Postgres) -> None:
    """The child cannot open a store whose pool was made before the fork."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    program = textwrap.dedent(
        """
        import asyncio, os, sys
        import asyncpg
        from async_oauth1.errors import StoreUnavailableError
        from async_oauth1.stores.postgres import PostgresStore
        runner = asyncio.Runner()
        async def begin():
            store = PostgresStore(pool=await asyncpg.create_pool(sys.argv[1], min_size=1))
            await store.migrate()
            await store.open()
            return store
        store = runner.run(begin())
        async def refused(question):
            try:
                await question
            except StoreUnavailableError as error:
                return "make the pool and the store in each worker" in str(error)
        async def in_child():
            return [await refused(store.ping()), await refused(store.open()), await store.close()]
        child = os.fork()
        if child == 0:
            asyncio.set_event_loop(None)
            os._exit(asyncio.run(in_child()) != [True, True, None])
        assert os.waitpid(child, 0)[1] == 0
        runner.run(store.ping())
        """
    )
    subprocess.run([sys.executable, "-c", program, postgres.url], check=True, timeout=300)
