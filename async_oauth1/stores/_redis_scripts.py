"""What Redis does in one step: Lua scripts, each about one key, so that they run in a Cluster, too."""

from __future__ import annotations

from ._redis_node import Script

__all__ = ["APPROVE", "COUNT", "CREATE", "DENY", "REMEMBER"]

# "1" rather than "": older servers share the object of a small number among all keys that have it.
# An argument for each key says how many seconds it lives.
# Returns a string of digits, one for each key: 1 where it is new.
REMEMBER = Script(
    """local fresh = {}
for i, key in ipairs(KEYS) do
  fresh[i] = redis.call('SET', key, '1', 'NX', 'EX', ARGV[i]) and '1' or '0'
end
return table.concat(fresh)"""
)

CREATE = Script(
    """if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1"""
)

APPROVE = Script(
    """if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'verifier') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'user_id', ARGV[1], 'verifier', ARGV[2])
return 1"""
)

DENY = Script(
    """if redis.call('HEXISTS', KEYS[1], 'verifier') == 1 then return 0 end
return redis.call('DEL', KEYS[1])"""
)

COUNT = Script(
    """if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
return redis.call('HINCRBY', KEYS[1], 'wrong_verifiers', 1)"""
)
