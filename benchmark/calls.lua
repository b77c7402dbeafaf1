-- The requests of one burst of wrk, and what their answers must be. Everything comes by the
-- environment: a command line could be read by anybody on the machine, and there is a token.

local call = os.getenv("BENCH_CALL")
local expected = {}
for status in os.getenv("BENCH_STATUSES"):gmatch("%d+") do expected[tonumber(status)] = true end
local expected_text = os.getenv("BENCH_TEXT")
local run = os.getenv("BENCH_RUN")
local CHECK_EACH = 20

local function range(name)
  local first, last = (os.getenv(name) or "1-1"):match("(%d+)-(%d+)")
  return { first = tonumber(first), last = tonumber(last) }
end

local function any(ids)
  return math.random(ids.first, ids.last)
end

local customers = range("BENCH_CUSTOMERS")
local products = range("BENCH_PRODUCTS")
local orders = range("BENCH_ORDERS")
local path = os.getenv("BENCH_PATH")
local third = math.floor((products.last - products.first + 1) / 3)

local headers = { Authorization = "Bearer " .. os.getenv("BENCH_TOKEN") }
local sending = {
  Authorization = headers.Authorization,
  ["Content-Type"] = "application/json",
}
local keyed = {
  Authorization = headers.Authorization,
  ["Content-Type"] = "application/json",
}

local number = 0
local next_order = orders.first

-- A key that no other request has, of any burst.
local function with_key()
  number = number + 1
  keyed["X-Idempotency-Key"] = run .. "-" .. number
  return keyed
end

-- Three different products, one of each third of them.
local function order()
  local start = products.first
  local first = math.random(start, start + third - 1)
  local second = math.random(start + third, start + 2 * third - 1)
  local last = math.random(start + 2 * third, start + 3 * third - 1)
  return string.format(
    '{"customer_id":%d,"items":[{"product_id":%d,"qty":1},{"product_id":%d,"qty":1},{"product_id":%d,"qty":1}]}',
    any(customers), first, second, last)
end

local function customer()
  number = number + 1
  return string.format('{"name":"Blue Bolt Trading","email":"ops%d@bolt-%s.example","phone":null}',
    number, run)
end

-- Each order can take a step once: they are taken in turn, and the burst ends with the last.
local function step(name)
  if next_order >= orders.last then wrk.thread:stop() end
  local id = next_order
  next_order = next_order + 1
  return wrk.format("POST", "/orders/" .. id .. "/" .. name, with_key())
end

-- Confirmed and canceled at random: at any time a few orders are in many hands.
local HANDS = 8
local function random_step()
  number = number + 1
  local id = orders.first + math.floor(number / HANDS) + math.random(0, HANDS - 1)
  if id >= orders.last then wrk.thread:stop() end
  local name = math.random(2) == 1 and "confirm" or "cancel"
  keyed["X-Idempotency-Key"] = run .. "-" .. number
  return wrk.format("POST", "/orders/" .. id .. "/" .. name, keyed)
end

-- Create and confirm in one call; the key is not the orders' own but the call's.
local function orchestration()
  number = number + 1
  local body = order():sub(1, -2) .. ',"idempotency_key":"' .. run .. "-" .. number .. '"}'
  return wrk.format("POST", "/orchestrator/create-and-confirm-order", sending, body)
end

local function order_of_one_product()
  return string.format('{"customer_id":%d,"items":[{"product_id":%d,"qty":1}]}',
    any(customers), any(products))
end

local requests = {
  hello = function() return wrk.format("GET", "/", {}) end,
  path = function() return wrk.format("GET", path, headers) end,
  get_product = function() return wrk.format("GET", "/products/" .. any(products), headers) end,
  get_order = function() return wrk.format("GET", "/orders/" .. any(orders), headers) end,
  create_order = function() return wrk.format("POST", "/orders", sending, order()) end,
  create_order_keyed = function() return wrk.format("POST", "/orders", with_key(), order()) end,
  create_order_of_one = function()
    return wrk.format("POST", "/orders", sending, order_of_one_product())
  end,
  get_customer = function() return wrk.format("GET", "/customers/" .. any(customers), headers) end,
  create_customer = function() return wrk.format("POST", "/customers", sending, customer()) end,
  change_product = function()
    return wrk.format("PATCH", "/products/" .. any(products), sending, '{"stock":1000000000}')
  end,
  confirm_order = function() return step("confirm") end,
  cancel_order = function() return step("cancel") end,
  random_step = random_step,
  orchestrate = orchestration,
}

request = requests[call]

-- One thread sends everything: two would take the same orders and the same keys.
local sender

function setup(thread)
  sender = thread
end

function init()
  math.randomseed(tonumber(os.getenv("BENCH_SEED")))
  answered, checked, wrong, example, statuses = 0, 0, 0, "", {}
end

-- Each status is checked, the body of each twentieth answer.
function response(status, _, body)
  answered = answered + 1
  statuses[status] = (statuses[status] or 0) + 1
  local good = expected[status] ~= nil
  if good and answered % CHECK_EACH == 1 then
    checked = checked + 1
    good = body:find(expected_text, 1, true) ~= nil
  end
  if not good then
    wrong = wrong + 1
    if example == "" then example = status .. " " .. body:sub(1, 300) end
  end
end

function done(summary, latency)
  local errors = summary.errors
  local lines = {
    "requests=" .. summary.requests,
    "microseconds=" .. summary.duration,
    "checked=" .. sender:get("checked"),
    "wrong=" .. sender:get("wrong"),
    "broken=" .. errors.connect + errors.read + errors.write + errors.timeout,
    "p50=" .. latency:percentile(50),
    "p95=" .. latency:percentile(95),
    "p99=" .. latency:percentile(99),
    "example=" .. sender:get("example"):gsub("%s+", " "),
  }
  for status, count in pairs(sender:get("statuses")) do
    table.insert(lines, "status" .. status .. "=" .. count)
  end
  local file = assert(io.open(os.getenv("BENCH_RESULT"), "w"))
  file:write(table.concat(lines, "\n"), "\n")
  file:close()
end
